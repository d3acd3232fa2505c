// Every error record of the module: stable id, fitting category, the input as target. A host that does not answer is a
// result, not an error.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using RustRunspaces.Native;

namespace RustRunspaces.Output;

internal static class Errors
{
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
        if (reason == NativeStatus.TooManyAddresses)
        {
            return new ErrorRecord(
                new ArgumentException($"'{target}' stands for more than 16,777,216 addresses: split it"),
                "TooManyAddresses",
                ErrorCategory.LimitsExceeded,
                target);
        }
        string family = addressFamily == 0 ? "" : $" of IPv{addressFamily}, as -IPv{addressFamily} asks";
        return new ErrorRecord(
            new ArgumentException(
                $"'{target}' is no host name, address, CIDR block or range that can be probed{family} (link-local addresses need their scope, as in fe80::1%eth0; unspecified, multicast and broadcast addresses are no hosts)"),
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
            "This process may not send ICMP echo requests. As root, permit it to all users with: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\" or to this program with: setcap cap_net_raw+ep '{0}'. Or use -TcpPort, which needs no permission",
            executable);
    }

    private static string TypeName(object item)
    {
        PSObject wrapped = PSObject.AsPSObject(item);
        return wrapped.TypeNames.Count > 0 ? wrapped.TypeNames[0] : wrapped.BaseObject.GetType().FullName ?? "";
    }
}
