// What a target stands for and how it is divided, for runs that share their targets out. The engine alone knows the syntax.
// Any thread.

using System;
using System.Text;

namespace RustRunspaces.Native;

/// <summary>A target as the engine understands it.</summary>
internal readonly unsafe struct TargetText
{
    // Enough for every part of a block or range; a text that has no parts comes back as long as it was.
    private const int PartCapacity = 128;

    private TargetText(NativeStatus status, long addresses, bool isExpanded)
    {
        Status = status;
        Addresses = addresses;
        IsExpanded = isExpanded;
    }

    /// <summary>Ok, InvalidTarget or TooManyAddresses.</summary>
    internal NativeStatus Status { get; }

    /// <summary>How many hosts it stands for; 1 for a name.</summary>
    internal long Addresses { get; }

    /// <summary>A block or a range: its hosts are named by address.</summary>
    internal bool IsExpanded { get; }

    /// <param name="text">As it was given.</param>
    /// <param name="family">4, 6, or 0 for either.</param>
    internal static TargetText Read(string text, int family)
    {
        NativeStatus status = Call(text, family, 0, 0, out ulong addresses, out uint flags, out _);
        return new TargetText(status, (long)addresses, (flags & Target.FlagExpanded) != 0);
    }

    /// <summary>Some of a block's or range's hosts, as a range.</summary>
    internal static string Part(string text, int family, long first, long count)
    {
        NativeStatus status = Call(text, family, (ulong)first, (ulong)count, out _, out _, out string part);
        return status == NativeStatus.Ok
            ? part
            : throw new ArgumentException($"'{text}' has no {count} addresses from the one at {first} on: {status}");
    }

    private static NativeStatus Call(string text, int family, ulong first, ulong count, out ulong addresses, out uint flags, out string part)
    {
        Library library = Library.Get();
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var buffer = new byte[Math.Max(PartCapacity, bytes.Length)];
        ulong known = 0;
        uint marks = 0;
        nuint length = 0;
        int status;
        fixed (byte* given = bytes)
        fixed (byte* room = buffer)
        {
            status = library.TargetPart(given, (nuint)bytes.Length, (uint)family, first, count, room, (nuint)buffer.Length, &known, &marks, &length);
        }
        addresses = known;
        flags = marks;
        if (status is (int)NativeStatus.InvalidTarget or (int)NativeStatus.TooManyAddresses)
        {
            part = "";
            return (NativeStatus)status;
        }
        library.Check(status);
        part = Encoding.UTF8.GetString(buffer, 0, (int)length);
        return NativeStatus.Ok;
    }
}
