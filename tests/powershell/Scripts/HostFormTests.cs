// -ComputerName with -ScriptBlock: the hashtable $Data, its entries, and what the host is bound to.

using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class HostFormTests : ScriptTest
{
    [Fact]
    public void The_block_of_the_article_fills_the_hashtable()
    {
        Hashtable table = Session.Run(
            """
            Invoke-RustParallel -ComputerName server1, server2, server3 -ScriptBlock {
                param($ComputerName)
                $Data[$ComputerName] = [PSCustomObject]@{ Ping = $true; TimeFinished = [DateTime]::Now }
            }
            """).Table;
        Assert.Equal(["server1", "server2", "server3"], table.Keys.Cast<string>().Order());
        Assert.All(table.Values.Cast<object>(), value => Assert.Equal(true, Property(value, "Ping")));
    }

    [Fact]
    public void Data_is_a_synchronized_hashtable_and_the_one_returned()
    {
        Call call = Session.Run("$all = Invoke-RustParallel a { $Data['table'] = $Data; $Data.IsSynchronized }; $all; [object]::ReferenceEquals($all, $all['table'])");
        Hashtable table = (Hashtable)call.Output.First().BaseObject;
        Assert.True(table.IsSynchronized);
        Assert.Equal(true, call.Output.Last().BaseObject);
    }

    [Fact]
    public void Data_is_one_for_all_runspaces()
    {
        // Each job waits for the other's key, so each has a runspace of its own.
        Hashtable table = Session.Run(
            """
            Invoke-RustParallel a, b -MaximumWaitTimeSeconds 20 {
                $Data["seen $_"] = $true
                $other = @{ a = 'b'; b = 'a' }[$_]
                while (-not $Data.ContainsKey("seen $other")) { Start-Sleep -Milliseconds 5 }
                'both'
            }
            """).Table;
        Assert.Equal("both", table["a"]!.ToString());
        Assert.Equal("both", table["b"]!.ToString());
    }

    [Fact]
    public void Keys_do_not_depend_on_case()
    {
        Hashtable table = Session.Run("Invoke-RustParallel Server1 { 1 }").Table;
        Assert.NotNull(table["SERVER1"]);
    }

    [Fact]
    public void A_job_without_output_has_the_entry_null()
    {
        Hashtable table = Session.Run("Invoke-RustParallel a { }").Table;
        Assert.True(table.ContainsKey("a"));
        Assert.Null(table["a"]);
    }

    [Fact]
    public void A_job_with_one_object_has_it_as_its_entry()
    {
        object entry = Session.Run("Invoke-RustParallel a { [pscustomobject] @{ Name = $_ } }").Table["a"]!;
        Assert.Equal("a", Property(entry, "Name"));
    }

    [Fact]
    public void A_job_with_more_objects_has_an_array_as_its_entry()
    {
        object entry = Session.Run("Invoke-RustParallel a { 1; 'two'; 3.0 }").Table["a"]!;
        Assert.Equal(["1", "two", "3"], Assert.IsType<object[]>(entry).Select(value => value.ToString()!));
    }

    [Fact]
    public void What_the_block_set_itself_stands_and_its_output_is_counted_in_one_verbose_line()
    {
        Call call = Session.Run("Invoke-RustParallel a, b { $Data[$_] = 'own'; 1; 2 } -Verbose");
        Assert.Equal("own", call.Table["a"]);
        Assert.Equal("own", call.Table["b"]);
        Assert.Single(call.Verbose, line => line.StartsWith("4 objects", System.StringComparison.Ordinal) && line.Contains("not kept", System.StringComparison.Ordinal));
    }

    [Fact]
    public void A_block_may_set_its_entry_to_null()
    {
        Hashtable table = Session.Run("Invoke-RustParallel a { $Data[$_] = $null; 'output' }").Table;
        Assert.True(table.ContainsKey("a"));
        Assert.Null(table["a"]);
    }

    [Fact]
    public void A_failed_job_has_no_entry()
    {
        Call call = Session.RunWithErrors("Invoke-RustParallel a, b { 'output'; if ($_ -eq 'a') { throw 'no' } }");
        Assert.Equal(["b"], call.Table.Keys.Cast<string>());
    }

    [Fact]
    public void A_timed_out_job_has_no_entry()
    {
        Call call = Session.RunWithErrors("Invoke-RustParallel a, b { 'output'; if ($_ -eq 'a') { Start-Sleep 30 } } -JobTimeoutSeconds 0.3");
        Assert.Equal(["b"], call.Table.Keys.Cast<string>());
    }

    [Fact]
    public void A_job_that_was_never_begun_has_no_entry()
    {
        Call call = Session.RunWithErrors(
            "Invoke-RustParallel a, b, c { if ($_ -eq 'b') { Start-Sleep 30 } } -MaximumThreadCount 1 -MaximumWaitTimeSeconds 0.4");
        Assert.Equal(["a"], call.Table.Keys.Cast<string>());
    }

    [Fact]
    public void An_entry_that_the_block_set_before_it_failed_stays()
    {
        Call call = Session.RunWithErrors("Invoke-RustParallel a { $Data[$_] = 'half'; throw 'no' }");
        Assert.Equal("half", call.Table["a"]);
    }

    [Theory]
    [InlineData("{ \"<$_>\" }")]
    [InlineData("{ \"<$PSItem>\" }")]
    [InlineData("{ param($ComputerName) \"<$ComputerName>\" }")]
    [InlineData("{ param($Server) \"<$Server>\" }")]
    [InlineData("{ param($Other, $ComputerName) \"$Other<$ComputerName>\" }")]
    [InlineData("{ param([string] $Name) \"<$Name>\" }")]
    [InlineData("{ param($ComputerName) \"<$_>\" }")]
    [InlineData("{ \"<$($args[0])>\" }", "-ArgumentList a")]
    public void The_host_reaches_the_block(string block, string arguments = "") =>
        Assert.Equal("<a>", Session.Run($"Invoke-RustParallel a {block} {arguments}").Table["a"]!.ToString());

    [Theory]
    [InlineData("{ param($ComputerName, $One, $Two) \"$ComputerName $One $Two\" }")]
    [InlineData("{ param($One, $ComputerName, $Two) \"$ComputerName $One $Two\" }")]
    [InlineData("{ param($ComputerName, [switch] $Off, $One, $Two) \"$ComputerName $One $Two\" }")]
    [InlineData("{ param($ComputerName) \"$ComputerName $args\" }")]
    [InlineData("{ \"$_ $args\" }")]
    [InlineData("{ param($ComputerName) process { \"$ComputerName $args\" } }")]
    public void The_argument_list_follows_the_host(string block)
    {
        object entry = Session.Run($"Invoke-RustParallel a {block} -ArgumentList 1, 2").Table["a"]!;
        Assert.Equal("a 1 2", entry.ToString());
    }

    [Fact]
    public void An_argument_that_is_an_array_stays_one()
    {
        object entry = Session.Run("Invoke-RustParallel a { param($ComputerName, $List) $List.Count } -ArgumentList (, (1, 2, 3))").Table["a"]!;
        Assert.Equal("3", entry.ToString());
    }

    [Fact]
    public void An_argument_may_be_null()
    {
        object entry = Session.Run("Invoke-RustParallel a { param($ComputerName, $One, $Two) \"$($null -eq $One) $Two\" } -ArgumentList $null, 2").Table["a"]!;
        Assert.Equal("True 2", entry.ToString());
    }

    [Theory]
    [InlineData("[pscustomobject] @{ ComputerName = 'a' }")]
    [InlineData("[pscustomobject] @{ HostName = 'a' }")]
    [InlineData("[pscustomobject] @{ IPAddress = 'a' }")]
    public void Hosts_are_read_from_objects_as_in_the_probe_form(string host) =>
        Assert.True(Session.Run($"Invoke-RustParallel ({host}) {{ $_ }}").Table.ContainsKey("a"));

    [Fact]
    public void A_null_is_one_error_and_the_others_run()
    {
        Call call = Session.RunWithErrors("Invoke-RustParallel a, $null, b { $_ }");
        Assert.Single(call.Errors);
        Assert.Equal(["a", "b"], call.Table.Keys.Cast<string>().Order());
    }

    [Fact]
    public void An_empty_list_of_hosts_gives_an_empty_hashtable() =>
        Assert.Empty(Session.Run("Invoke-RustParallel -ComputerName @() -ScriptBlock { 1 }").Table);

    [Fact]
    public void The_maximum_wait_is_300_seconds_with_hosts()
    {
        // Told by the parameter's default; a test that waits for it would take that long.
        PSObject value = Session.Run("(Get-Command Invoke-RustParallel).ImplementingType.GetConstructor(@()).Invoke(@()).MaximumWaitTimeSeconds").Output.Single();
        Assert.Equal(300.0, value.BaseObject);
    }
}
