// What all test classes share: a session of the test's own, the limit within which calls end, and a job
// that nothing but the runtime can stop.

using System;
using System.Linq;
using System.Runtime.InteropServices;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public abstract class ModuleTest : IDisposable
{
    /// <summary>Within which a call ends that was asked to end, or whose limit has passed.</summary>
    private protected static readonly TimeSpan EndLimit = TimeSpan.FromMilliseconds(250);

    /// <summary>A job that computes without end. Its loop has no call, at which the runtime could stop it.</summary>
    private protected const string EmptyLoop = "while ($true) { }";

    /// <summary>The same with a call.</summary>
    private protected const string LoopWithCall = "while ($true) { $null = $_.GetHashCode() }";

    // The runtime asks Windows whether a thread can be stopped now, to collect garbage
    // (CONTEXT_EXCEPTION_REPORTING); Wine does not answer, and the process would hang for good.
    private static readonly bool CanStopEmptyLoop =
        !OperatingSystem.IsWindows() || !NativeLibrary.TryGetExport(NativeLibrary.Load("ntdll.dll"), "wine_get_version", out _);

    private readonly Lazy<Session> session = new(() => new Session());

    private protected Session Session => session.Value;

    public void Dispose()
    {
        if (session.IsValueCreated)
        {
            session.Value.Dispose();
        }
        GC.SuppressFinalize(this);
    }

    private protected static void RequireStop(string script) => Assert.SkipUnless(
        CanStopEmptyLoop || script != EmptyLoop, "under Wine .NET cannot stop a loop without a call to collect garbage");

    /// <summary>What the script wrote, as text, in order.</summary>
    private protected static string[] Lines(Call call) => call.Output.Select(value => value?.ToString() ?? "$null").ToArray();
}
