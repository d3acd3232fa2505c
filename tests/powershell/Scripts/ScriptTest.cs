// What the tests of script jobs share: short ways from a call to the texts it wrote.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
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
