// The network of the tests' own that tests/module/laboratory.sh makes, on Linux: silent addresses, and names
// from a file of the tests'. Elsewhere the tests that need it are skipped.

using System;
using Xunit;

// Timing is measured: tests that run beside each other would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace RustRunspaces.PowerShellTests;

internal static class Laboratory
{
    /// <summary>A /16 whose packets nobody answers: routed to the loopback device, which drops what is not its own.</summary>
    public const string SilentNetwork = "10.99.0.0/16";

    /// <summary>A host of it.</summary>
    public const string Silent = "10.99.0.1";

    /// <summary>No name that starts so is known.</summary>
    public const string UnknownName = "unknown.test";

    private static readonly string? State = Environment.GetEnvironmentVariable("RUSTRUNSPACES_TEST_NETWORK");

    /// <summary>Skips the test unless it runs in the network of the tests' own.</summary>
    public static void Require() => Assert.SkipUnless(
        State == "inside", "there is no network of the tests' own: " + (State ?? "start the tests by laboratory.sh, on Linux"));
}
