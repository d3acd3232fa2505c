// Which form of the command a call is: by position, by pipe and by name. What a form is shows in what comes back: a host form
// returns one hashtable, an item form what its jobs wrote, and a probe its results.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ParameterSetTests : ScriptTest
{
    private const string Prepare =
        "function Get-Spoken { param($ComputerName, $Name, $Mark = '!') \"$ComputerName$Name$Mark\" }; $hosts = 'a', 'b'; $block = { \"<$_>\" }; ";

    [Theory]
    [InlineData("Invoke-RustParallel a, b { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel $hosts $block")]
    [InlineData("Invoke-RustParallel -ComputerName a, b -ScriptBlock { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel -ComputerName a, b { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel a, b -ScriptBlock { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel a, b -Parallel { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel -CN a, b -Parallel { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel -HostName a, b -ScriptBlock $block")]
    [InlineData("Invoke-RustParallel -ScriptBlock $block -ComputerName $hosts")]
    public void A_host_form_returns_a_hashtable_by_host(string call)
    {
        Hashtable table = Session.Run(Prepare + call).Table;
        Assert.Equal(["a", "b"], table.Keys.Cast<string>().Order());
        Assert.Equal("<a>", table["a"]!.ToString());
        Assert.Equal("<b>", table["b"]!.ToString());
    }

    [Theory]
    [InlineData("'a', 'b' | Invoke-RustParallel { \"<$_>\" }")]
    [InlineData("$hosts | Invoke-RustParallel $block")]
    [InlineData("'a', 'b' | Invoke-RustParallel -ScriptBlock { \"<$_>\" }")]
    [InlineData("'a', 'b' | Invoke-RustParallel -Parallel { \"<$_>\" }")]
    [InlineData("'a', 'b' | Invoke-RustParallel -Parallel $block -ThrottleLimit 2")]
    [InlineData("'a', 'b' | Invoke-RustParallel { \"<$_>\" } -MaximumThreadCount 2")]
    [InlineData("'a', 'b' | Invoke-RustParallel -ThrottleLimit 2 { \"<$_>\" }")]
    public void An_item_form_writes_what_its_jobs_write(string call) =>
        Assert.Equal(["<a>", "<b>"], SortedLines(Prepare + call));

    [Theory]
    [InlineData("Invoke-RustParallel -InputObject a -ScriptBlock { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel -InputObject a { \"<$_>\" }")]
    [InlineData("Invoke-RustParallel { \"<$_>\" } -InputObject a")]
    [InlineData("Invoke-RustParallel -Parallel $block -InputObject a")]
    public void An_input_object_by_name_is_one_item(string call) => Assert.Equal(["<a>"], Lines(Prepare + call));

    [Fact]
    public void An_array_as_input_object_is_one_item() =>
        Assert.Equal(["2"], Lines("Invoke-RustParallel -InputObject 1, 2 -ScriptBlock { $_.Count }"));

    [Theory]
    [InlineData("Invoke-RustParallel a, b -CommandName Get-Spoken")]
    [InlineData("Invoke-RustParallel -ComputerName a, b -CommandName Get-Spoken")]
    [InlineData("Invoke-RustParallel -CommandName Get-Spoken -ComputerName $hosts")]
    [InlineData("Invoke-RustParallel $hosts -CommandName Get-Spoken -Parameters @{ Mark = '!' }")]
    public void A_host_command_form_returns_a_hashtable_by_host(string call)
    {
        Hashtable table = Session.Run(Prepare + call).Table;
        Assert.Equal("a!", table["a"]!.ToString());
        Assert.Equal("b!", table["b"]!.ToString());
    }

    [Theory]
    [InlineData("'a', 'b' | Invoke-RustParallel -CommandName Get-Spoken")]
    [InlineData("'a', 'b' | Invoke-RustParallel -CommandName Get-Spoken -Parameter @{ Mark = '!' }")]
    [InlineData("'a', 'b' | Invoke-RustParallel -CommandName Get-Spoken -ParameterName Name")]
    public void An_item_command_form_writes_what_its_jobs_write(string call) =>
        Assert.Equal(["a!", "b!"], SortedLines(Prepare + call));

    [Fact]
    public void Hosts_without_a_block_are_probed()
    {
        Laboratory.RequireEcho();
        Assert.Equal("Success", Property(Session.Run("'127.0.0.1' | Invoke-RustParallel").Table["127.0.0.1"], "Status"));
        Assert.Equal("Success", Property(Session.Run("Invoke-RustParallel 127.0.0.1").Table["127.0.0.1"], "Status"));
    }

    [Theory]
    [InlineData("Invoke-RustParallel { $ran.Enqueue([runspace]::DefaultRunspace.Id) }")]
    [InlineData("Invoke-RustParallel -ThrottleLimit 4 { $ran.Enqueue([runspace]::DefaultRunspace.Id) }")]
    [InlineData("Invoke-RustParallel -ScriptBlock { $ran.Enqueue([runspace]::DefaultRunspace.Id) }")]
    public void A_block_after_a_pipe_does_not_run_in_the_caller(string call)
    {
        var ran = new ConcurrentQueue<int>();
        Session.Run($"1..3 | {call.TrimEnd('}')}}} -Variables ran", ("ran", ran));
        Assert.Equal(3, ran.Count);
        Assert.DoesNotContain(Session.Runspace.Id, ran);
    }

    [Fact]
    public void What_is_piped_to_a_block_with_a_property_ComputerName_is_an_item()
    {
        string[] lines = Lines("[pscustomobject] @{ ComputerName = 'a'; Name = 'n' } | Invoke-RustParallel { $_.Name }");
        Assert.Equal(["n"], lines);
    }

    [Fact]
    public void Piped_IPv6_addresses_are_items_with_a_block() =>
        Assert.Equal(["::1"], Lines("[ipaddress] '::1' | Invoke-RustParallel { $_.ToString() }"));

    [Theory]
    [InlineData("Invoke-RustParallel a { 1 } -CommandName Get-Date")]
    [InlineData("1 | Invoke-RustParallel { 1 } -Count 3")]
    [InlineData("Invoke-RustParallel a { 1 } -TcpPort 1")]
    [InlineData("Invoke-RustParallel 127.0.0.1 -MaximumThreadCount 3")]
    [InlineData("'b' | Invoke-RustParallel -ComputerName a -ScriptBlock { 1 }")]
    [InlineData("Invoke-RustParallel a { 1 } -InputObject b")]
    public void Parameters_of_two_forms_do_not_mix(string call)
    {
        Call ended = Session.RunWithErrors(call);
        Assert.True(ended.Failure is ParameterBindingException || ended.Errors.Any(), "nothing was refused");
        ErrorRecord error = ended.Failure is ParameterBindingException binding ? binding.ErrorRecord : ended.Errors.First();
        Assert.IsAssignableFrom<ParameterBindingException>(error.Exception);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    public void The_number_of_jobs_at_a_time_is_1_to_1024(int number)
    {
        ErrorRecord error = Session.RunToFailure($"1 | Invoke-RustParallel {{ 1 }} -MaximumThreadCount {number}");
        Assert.Equal("ParameterArgumentValidationError", Call.Id(error));
        Assert.Contains(number == 0 ? "1" : "1024", error.ToString());
    }

    [Fact]
    public void As_many_jobs_run_at_a_time_as_asked()
    {
        // Each job goes on when all four are there, so three at a time would never end.
        using var barrier = new System.Threading.Barrier(4);
        string[] lines = Lines("1..4 | Invoke-RustParallel { ($using:barrier).SignalAndWait(20000) } -ThrottleLimit 4", ("barrier", barrier));
        Assert.Equal(["True", "True", "True", "True"], lines);
    }

    [Fact]
    public void No_more_jobs_run_at_a_time_than_asked()
    {
        var counter = new Counter();
        Session.Run(
            "1..12 | Invoke-RustParallel -ThrottleLimit 3 { ($using:counter).Enter(); Start-Sleep -Milliseconds 20; ($using:counter).Leave() }",
            ("counter", counter));
        Assert.InRange(counter.Most, 1, 3);
    }

    [Fact]
    public void Thirty_two_jobs_run_at_a_time_unless_asked_otherwise()
    {
        using var barrier = new System.Threading.Barrier(32);
        Assert.All(
            Lines("1..32 | Invoke-RustParallel { ($using:barrier).SignalAndWait(20000) }", ("barrier", barrier)),
            line => Assert.Equal("True", line));
    }

    [Fact]
    public void An_apartment_is_refused_where_there_is_no_COM()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has COM");
        ErrorRecord error = Session.RunToFailure("1 | Invoke-RustParallel { 1 } -ApartmentState STA");
        Assert.Equal("ApartmentStateNotSupported", Call.Id(error));
        Assert.IsType<PlatformNotSupportedException>(error.Exception);
        Assert.Contains("-ApartmentState STA", error.Exception.Message);
    }
}
