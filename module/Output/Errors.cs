// Every error record of the module: stable id, fitting category, the input as target. A host that does not answer is a
// result, not an error.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using RustRunspaces.Native;

namespace RustRunspaces.Output;

internal static class Errors
{
    /// <summary>Characters; no name of a host is longer.</summary>
    private const int LongestShown = 255;

    /// <summary>Non-terminating: an item that cannot become a host.</summary>
    /// <param name="item">As it was given.</param>
    /// <param name="properties">That a host is looked for in.</param>
    internal static ErrorRecord InvalidItem(object? item, IEnumerable<string> properties)
    {
        string message = item is null
            ? "$null is no host: give a name, an address, or an object that has one"
            : $"An object of the type {TypeName(item)} is no host: it is neither a string nor an address, and has no text or address in a property {string.Join(", ", properties)}";
        return new ErrorRecord(new ArgumentException(message), "InvalidTarget", ErrorCategory.InvalidArgument, item);
    }

    /// <summary>Non-terminating: a string that the engine does not take.</summary>
    internal static ErrorRecord Rejected(string target, NativeStatus reason, int addressFamily)
    {
        string shown = Shown(target);
        if (reason == NativeStatus.TooManyAddresses)
        {
            return new ErrorRecord(
                new ArgumentException($"'{shown}' stands for more than 16,777,216 addresses: split it"),
                "TooManyAddresses",
                ErrorCategory.LimitsExceeded,
                target);
        }
        string family = addressFamily == 0 ? "" : $" of IPv{addressFamily}, as -IPv{addressFamily} asks";
        return new ErrorRecord(
            new ArgumentException(
                $"'{shown}' is no host name, address, CIDR block or range that can be probed{family} (link-local addresses need their scope, as in fe80::1%eth0; unspecified, multicast and broadcast addresses are no hosts)"),
            "InvalidTarget",
            ErrorCategory.InvalidArgument,
            target);
    }

    /// <summary>Terminating.</summary>
    internal static ErrorRecord NothingToOrder() => new ErrorRecord(
        new ArgumentException("-Ordered needs -AsObject where hosts are given by -ComputerName: a hashtable has no order"),
        "OrderedNeedsAsObject",
        ErrorCategory.InvalidArgument,
        null);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord AddressFamilyConflict() => new ErrorRecord(
        new ArgumentException("-IPv4 and -IPv6 exclude each other: use one of them, or none for both families"),
        "AddressFamilyConflict",
        ErrorCategory.InvalidArgument,
        null);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord From(LibraryException error) => new ErrorRecord(
        error,
        error.Failure.ToString(),
        error.Failure == LibraryFailure.NativeLibraryNotFound ? ErrorCategory.ObjectNotFound : ErrorCategory.InvalidOperation,
        error.Path);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord From(NativeException error)
    {
        switch (error.Status)
        {
            case NativeStatus.IcmpNotPermitted:
                return new ErrorRecord(
                    new UnauthorizedAccessException(IcmpNotPermittedMessage(), error),
                    "IcmpNotPermitted",
                    ErrorCategory.PermissionDenied,
                    null);
            case NativeStatus.NoResources:
            case NativeStatus.NoThreads:
                return new ErrorRecord(error, error.Status.ToString(), ErrorCategory.ResourceUnavailable, null);
            default:
                return new ErrorRecord(error, "Native" + error.Status, ErrorCategory.InvalidOperation, null);
        }
    }

    private static string IcmpNotPermittedMessage()
    {
        string executable;
        using (var process = Process.GetCurrentProcess())
        {
            executable = process.MainModule?.FileName ?? "pwsh";
        }
        return string.Format(
            CultureInfo.InvariantCulture,
            "This process may not send ICMP echo requests. Permit it to your group with: sudo sysctl -w net.ipv4.ping_group_range=\"$(id -g) $(id -g)\" (which takes the place of the range there is) or to this program with: sudo setcap cap_net_raw+ep '{0}'. Or use -TcpPort, which needs no permission",
            executable);
    }

    /// <summary>
    /// A host, item or name as messages show it: short, and without what a terminal would obey or a reader would read in
    /// another order. The whole is the error's target.
    /// </summary>
    internal static string Shown(object? item, int longest = LongestShown)
    {
        string text = item?.ToString() ?? "$null";
        var shown = new StringBuilder(Math.Min(text.Length, longest + 3));
        for (int i = 0; i < text.Length && i < longest; i++)
        {
            bool isPlain = char.GetUnicodeCategory(text, i) is not (UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);
            // Of a pair the second half has the category of its own, which is none.
            bool isSecond = i > 0 && char.IsSurrogatePair(text, i - 1);
            shown.Append(isPlain || isSecond ? text[i] : '?');
        }
        return text.Length > longest ? shown.Append("...").ToString() : shown.ToString();
    }

    private static string TypeName(object item)
    {
        PSObject wrapped = PSObject.AsPSObject(item);
        return wrapped.TypeNames.Count > 0 ? wrapped.TypeNames[0] : wrapped.BaseObject.GetType().FullName ?? "";
    }
}
