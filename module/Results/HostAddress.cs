// An address as a result keeps it: 24 bytes and no objects. Text and IPAddress are made when somebody asks.

using System.Net;
using System.Runtime.InteropServices;
using RustRunspaces.Native;

namespace RustRunspaces.Results;

/// <summary>An IPv4 or IPv6 address with its scope, or none.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct HostAddress
{
    private const ushort IPv4 = 4;
    private const ushort IPv6 = 6;

    // Network order as it lies in memory; all systems the engine exists for are little-endian, so the first byte of the
    // address is the lowest of the number.
    private readonly ulong first;
    private readonly ulong second;
    private readonly uint scope;
    private readonly ushort family;

    internal HostAddress(in Completion completion)
        : this(completion.AddressFirst, completion.AddressSecond, completion.ScopeId, completion.Family)
    {
    }

    private HostAddress(ulong first, ulong second, uint scope, ushort family)
    {
        this.first = first;
        this.second = second;
        this.scope = scope;
        this.family = family;
    }

    /// <summary>Who answered in the place of the address that was asked; none where that one did, or nobody.</summary>
    internal static HostAddress AnsweredFrom(in Completion completion) => new HostAddress(
        completion.AnsweredFromFirst,
        completion.AnsweredFromSecond,
        completion.AnsweredFromScopeId,
        completion.AnsweredFromFamily);

    /// <summary>Null where there is no address.</summary>
    public override string? ToString() => family switch
    {
        IPv4 => FormatIPv4((uint)first),
        IPv6 => ToIPAddress()!.ToString(),
        _ => null,
    };

    /// <summary>Null where there is no address.</summary>
    internal IPAddress? ToIPAddress()
    {
        switch (family)
        {
            case IPv4:
                return new IPAddress((uint)first);
            case IPv6:
                var bytes = new byte[16];
                for (int i = 0; i < 8; i++)
                {
                    bytes[i] = (byte)(first >> (8 * i));
                    bytes[8 + i] = (byte)(second >> (8 * i));
                }
                return new IPAddress(bytes, scope);
            default:
                return null;
        }
    }

    private static unsafe string FormatIPv4(uint address)
    {
        const int LongestText = 15;
        char* text = stackalloc char[LongestText];
        int length = 0;
        for (int shift = 0; shift < 32; shift += 8)
        {
            uint octet = (address >> shift) & 0xff;
            if (shift > 0)
            {
                text[length++] = '.';
            }
            if (octet >= 100)
            {
                text[length++] = (char)('0' + (octet / 100));
            }
            if (octet >= 10)
            {
                text[length++] = (char)('0' + (octet / 10 % 10));
            }
            text[length++] = (char)('0' + (octet % 10));
        }
        return new string(text, 0, length);
    }
}
