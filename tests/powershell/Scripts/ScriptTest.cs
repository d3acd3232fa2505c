// What the tests of script jobs share: short ways from a call to the texts it wrote.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public abstract class ScriptTest : ModuleTest
{
    /// <summary>Within which a call ends that was asked to end, or whose limit has passed.</summary>
    private protected static readonly TimeSpan EndLimit = TimeSpan.FromMilliseconds(250);

    /// <summary>The open runspaces of this process; the engine has no public list of them, only a command that not every host has.</summary>
    private protected static IReadOnlyCollection<Runspace> OpenRunspaces()
    {
        PropertyInfo list = typeof(Runspace).GetProperty("RunspaceList", BindingFlags.NonPublic | BindingFlags.Static)!;
        return ((IEnumerable<Runspace>)list.GetValue(null)!).ToArray();
    }

    /// <summary>Fails when a runspace stays open. A worker that a busy machine kept from its end in time closes its own a little later.</summary>
    private protected static void AssertNoneLeft(IReadOnlyCollection<Runspace> before)
    {
        bool isNoneLeft = SpinWait.SpinUntil(() => !OpenRunspaces().Except(before).Any(), TimeSpan.FromSeconds(2));
        Assert.True(isNoneLeft, $"{OpenRunspaces().Except(before).Count()} runspaces are left");
    }

    /// <summary>A job that computes without end. Its loop has no call, at which the runtime could stop it.</summary>
    private protected const string EmptyLoop = "while ($true) { }";

    /// <summary>The same with a call.</summary>
    private protected const string LoopWithCall = "while ($true) { $null = $_.GetHashCode() }";

    /// <summary>
    /// Whether the runtime can stop a thread in <see cref="EmptyLoop"/> to collect garbage. It asks Windows whether that is safe now
    /// (CONTEXT_EXCEPTION_REPORTING); Wine does not answer, and the process would hang for good.
    /// </summary>
    private protected static bool CanStopEmptyLoop { get; } =
        !OperatingSystem.IsWindows() || !NativeLibrary.TryGetExport(NativeLibrary.Load("ntdll.dll"), "wine_get_version", out _);

    private protected static void RequireStop(string script) => Assert.SkipUnless(
        CanStopEmptyLoop || script != EmptyLoop, "under Wine .NET cannot stop a loop without a call to collect garbage");

    /// <summary>What the script wrote, as text, in order.</summary>
    private protected string[] Lines(string script, params (string Name, object? Value)[] variables) =>
        Lines(Session.Run(script, variables));

    private protected static string[] Lines(Call call) =>
        call.Output.Select(value => value?.ToString() ?? "$null").ToArray();

    /// <summary>The same in an order that does not depend on which job was first.</summary>
    private protected string[] SortedLines(string script, params (string Name, object? Value)[] variables) =>
        Lines(script, variables).Order(StringComparer.Ordinal).ToArray();

    private protected static string[] Texts(IEnumerable<ErrorRecord> errors) => errors.Select(error => error.ToString()).ToArray();
}
