// -MaximumWaitTimeSeconds: what is returned when it has passed, and the warnings before and after.

using System;
using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class MaximumWaitTests : ModuleTest
{
    private const string Forever = "-Count 100 -ReplyTimeoutMilliseconds 200";
    private const string Reached = "The maximum wait of ";
    private const string MayTake = "may take";

    public MaximumWaitTests() => Laboratory.Require();

    [Theory]
    [InlineData("-Count 100 -ReplyTimeoutMilliseconds 200")]
    [InlineData("-TcpPort 1 -Count 100 -ReplyTimeoutMilliseconds 200")]
    [InlineData("-Count 100 -ReplyTimeoutMilliseconds 200 -AsObject")]
    [InlineData("-Count 100 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1")]
    public void The_call_returns_within_250_ms_of_the_limit(string arguments)
    {
        Session.Run("Invoke-RustParallel 127.0.0.1"); // what the first call loads is not the limit's
        Call call = Session.Run($"Invoke-RustParallel {Laboratory.SilentNetwork.Replace("/16", "/22")} {arguments} -MaximumWaitTimeSeconds 0.5");
        Assert.True(call.Duration >= TimeSpan.FromSeconds(0.5), $"returned after {call.Duration.TotalMilliseconds:N0} ms");
        MachineDelay.AssertWithin(call.Duration, TimeSpan.FromSeconds(0.5 + 0.25), call.Late);
    }

    [Fact]
    public void The_hashtable_has_what_finished_and_no_more()
    {
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.1, {Laboratory.Silent}, 127.0.0.2 {Forever} -MaximumWaitTimeSeconds 0.3");
        Assert.Equal(["127.0.0.1", "127.0.0.2"], call.Table.Keys.Cast<string>().Order());
        Assert.All(call.Table.Values.Cast<object>(), result => Assert.Equal(true, Property(result, "Ping")));
    }

    [Fact]
    public void Each_host_begun_is_a_row_Stopped()
    {
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.1, {Laboratory.Silent}, {Laboratory.Silent2} {Forever} -MaximumWaitTimeSeconds 0.3 -AsObject");
        Assert.Equal([Laboratory.Silent, Laboratory.Silent2, "127.0.0.1"], Names(call.Output).Order(StringComparer.Ordinal));
        foreach (PSObject row in call.Output.Where(row => Property<string>(row, "ComputerName") != "127.0.0.1"))
        {
            Assert.Equal("Stopped", Property(row, "Status"));
            Assert.Equal(false, Property(row, "Ping"));
            Assert.Null(Property(row, "Latency"));
            Assert.Equal(1, Property(row, "Sent"));
        }
    }

    [Fact]
    public void Each_expression_not_begun_is_one_row_NotStarted()
    {
        // Of the first block 256 hosts are begun at once, of the second none at one a second.
        Call call = Session.Run($"Invoke-RustParallel 10.99.1.0/22, 10.99.8.0/24, {Laboratory.Silent} {Forever} -PacketsPerSecond 1 -MaximumWaitTimeSeconds 0.3 -AsObject");
        PSObject[] notStarted = call.Output.Where(row => Property<string>(row, "Status") == "NotStarted").ToArray();
        Assert.Equal([Laboratory.Silent, "10.99.1.0/22", "10.99.8.0/24"], Names(notStarted).Order(StringComparer.Ordinal));
        Assert.All(notStarted, row => Assert.Equal(false, Property(row, "Ping")));
        Assert.All(notStarted, row => Assert.Equal(0, Property(row, "Sent")));
        Assert.Contains("254 of 254 hosts", Property<string>(notStarted.Single(row => Property<string>(row, "ComputerName") == "10.99.8.0/24"), "Detail"));
        PSObject[] others = call.Output.Except(notStarted).ToArray();
        Assert.InRange(others.Length, 256, 260);
        Assert.All(others, row => Assert.Equal("Stopped", Property(row, "Status")));
    }

    [Fact]
    public void A_host_whose_ports_were_partly_answered_is_Success_if_one_was_open()
    {
        using var open = new OpenPort();
        using var silent = new SilentPort();
        PSObject row = Session.Run(
            $"Invoke-RustParallel 127.0.0.1 -TcpPort {open.Number}, {silent.Number} {Forever} -MaximumWaitTimeSeconds 0.3 -AsObject").Output.Single();
        Assert.Equal("Success", Property(row, "Status"));
        Assert.Equal(["Success", "Stopped"], Property<IEnumerable>(row, "Ports")!.Cast<object>().Select(port => Property(port, "Status")));
    }

    [Fact]
    public void One_warning_gives_the_number_and_the_first_names()
    {
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.1, {Laboratory.Silent}, {Laboratory.Silent2} {Forever} -MaximumWaitTimeSeconds 0.3");
        string warning = Assert.Single(call.Warnings, IsReached);
        Assert.Contains("0.3 seconds", warning);
        Assert.Contains("2 hosts", warning);
        Assert.EndsWith($"{Laboratory.Silent}, {Laboratory.Silent2}", warning);
    }

    [Fact]
    public void Many_names_are_cut_in_the_warning()
    {
        Call call = Session.Run($"Invoke-RustParallel 10.99.0.0/24 {Forever} -MaximumWaitTimeSeconds 0.3");
        string warning = Assert.Single(call.Warnings, IsReached);
        Assert.Contains("254 hosts", warning);
        Assert.EndsWith(", ...", warning);
        Assert.InRange(warning.Length, 50, 300);
    }

    [Fact]
    public void A_call_that_finishes_does_not_warn()
    {
        Call call = Session.Run($"Invoke-RustParallel 127.0.0.1, {Laboratory.Silent} -Count 1 -ReplyTimeoutMilliseconds 100 -MaximumWaitTimeSeconds 5");
        Assert.Empty(call.Warnings);
        Assert.Equal(2, call.Table.Count);
    }

    [Fact]
    public void The_wait_counts_from_the_beginning_of_the_call()
    {
        Call call = Session.Run(
            $$"""
            & { '127.0.0.1'; Start-Sleep -Milliseconds 600; '127.0.0.2'; '127.0.0.3' } |
                Invoke-RustParallel -MaximumWaitTimeSeconds 0.3 -Count 1 -ReplyTimeoutMilliseconds 100
            """);
        Assert.Equal(["127.0.0.1"], call.Table.Keys.Cast<string>());
        Assert.Contains("127.0.0.2, 127.0.0.3", Assert.Single(call.Warnings, IsReached));
    }

    [Fact]
    public void Zero_is_no_limit()
    {
        Call call = Session.Run(
            $"Invoke-RustParallel {Laboratory.Silent} -Count 3 -IntervalMilliseconds 200 -ReplyTimeoutMilliseconds 100 -MaximumWaitTimeSeconds 0");
        Assert.Equal("TimedOut", Property(call.Table[Laboratory.Silent], "Status"));
        Assert.Empty(call.Warnings);
    }

    [Fact]
    public void Zero_does_not_warn_of_long_calls()
    {
        Call call = Session.Run("Invoke-RustParallel 127.0.0.1 -Count 1000 -IntervalMilliseconds 3600000 -MaximumWaitTimeSeconds 0");
        Assert.Empty(call.Warnings);
    }

    [Fact]
    public void The_maximum_wait_is_300_seconds_by_default()
    {
        // 300 intervals of a second and the reply timeout are just too long, 299 are not.
        Assert.Empty(Session.Run("Invoke-RustParallel 127.0.0.1 -Count 300 -ReplyTimeoutMilliseconds 900").Warnings);
        string warning = Assert.Single(Session.Run("Invoke-RustParallel 127.0.0.1 -Count 301 -ReplyTimeoutMilliseconds 900").Warnings);
        Assert.Contains("maximum wait of 300 seconds", warning);
    }

    [Fact]
    public void TimeoutSeconds_is_another_name_of_the_parameter()
    {
        Call call = Session.Run($"Invoke-RustParallel {Laboratory.Silent} {Forever} -TimeoutSeconds 0.2");
        Assert.Single(call.Warnings, IsReached);
    }

    [Fact]
    public void A_call_that_may_take_too_long_says_which_wait_it_needs()
    {
        // 10 hosts x 2 / 1 + 1 x 10 + 0.2 seconds.
        Call call = Session.Run(
            "Invoke-RustParallel 127.0.0.1-10 -Count 2 -IntervalMilliseconds 10000 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1 -MaximumWaitTimeSeconds 20");
        string warning = Assert.Single(call.Warnings);
        Assert.Contains(MayTake, warning);
        Assert.Contains("30.2 seconds", warning);
        Assert.Contains("-MaximumWaitTimeSeconds 31", warning);
    }

    [Fact]
    public void The_wait_that_was_named_is_long_enough_not_to_warn_again()
    {
        Call call = Session.Run(
            "Invoke-RustParallel 127.0.0.1-10 -Count 2 -IntervalMilliseconds 10000 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 1 -MaximumWaitTimeSeconds 31");
        Assert.Empty(call.Warnings);
    }

    [Fact]
    public void The_warning_comes_as_soon_as_the_hosts_known_make_it_true()
    {
        // The first host alone would fit into the wait; the pipeline goes on once the warning is there.
        var waiting = new System.Threading.ManualResetEventSlim();
        Call call = Session.Start(
            """
            & { '127.0.0.1'; '127.0.0.2-254'; while (-not $waiting.IsSet) { Start-Sleep -Milliseconds 10 } } |
                Invoke-RustParallel -Count 1 -ReplyTimeoutMilliseconds 200 -PacketsPerSecond 10 -MaximumWaitTimeSeconds 20
            """,
            ("waiting", waiting));
        call.WaitUntil(running => running.Warnings.Any());
        waiting.Set();
        call.Wait();
        Assert.Contains("254 hosts", Assert.Single(call.Warnings));
    }

    [Fact]
    public void The_warning_comes_once_however_many_hosts_follow()
    {
        Call call = Session.Run("'127.0.0.1', '127.0.0.2', '127.0.0.3' | Invoke-RustParallel -Count 400");
        Assert.Single(call.Warnings, warning => warning.Contains(MayTake, StringComparison.Ordinal));
    }

    private static bool IsReached(string warning) => warning.StartsWith(Reached, StringComparison.Ordinal);
}
