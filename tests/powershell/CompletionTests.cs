// What the Tab key proposes.

using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class CompletionTests : ModuleTest
{
    [Theory]
    [InlineData("Invoke-RustParallel -ComputerName localh")]
    [InlineData("Invoke-RustParallel localh")]
    [InlineData("Invoke-RustParallel -CN LOCALH")]
    [InlineData("Invoke-RustParallel -ComputerName web1, localh")]
    public void Names_of_the_hosts_file_are_proposed(string line)
    {
        Laboratory.Require();
        Assert.Contains("localhost", Complete(line));
    }

    [Theory]
    [InlineData("known.test")]
    [InlineData("10.96.0.9")]
    [InlineData("ported.test")]
    public void Names_of_known_hosts_are_proposed(string name)
    {
        Laboratory.Require();
        Assert.Contains(name, Complete($"Invoke-RustParallel -ComputerName {name[..3]}"));
    }

    [Fact]
    public void Every_name_is_proposed_once_in_order_without_addresses_comments_patterns_and_hashes()
    {
        Laboratory.Require();
        string[] expected = ["10.96.0.9", "dual.test", "known.test", "localhost", "mini.test", "ported.test"];
        string[] proposed = Complete("Invoke-RustParallel -ComputerName ");
        // The machine may have a list of known hosts for all users, too.
        Assert.Equal(expected, proposed.Where(expected.Contains));
        Assert.Equal(proposed.Distinct(), proposed);
        Assert.DoesNotContain(proposed, name => name.IndexOfAny(['*', '|', '#', ' ']) >= 0);
    }

    [Fact]
    public void Parameters_are_proposed() =>
        Assert.Contains("-MaximumWaitTimeSeconds", Complete("Invoke-RustParallel -Maximum"));

    private string[] Complete(string line)
    {
        using PowerShell shell = PowerShell.Create(Session.Runspace);
        return CommandCompletion.CompleteInput(line, line.Length, null, shell).CompletionMatches
            .Where(match => match.ResultType is CompletionResultType.ParameterValue or CompletionResultType.ParameterName)
            .Select(match => match.CompletionText).ToArray();
    }
}
