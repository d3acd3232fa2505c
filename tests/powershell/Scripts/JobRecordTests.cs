// -AsObject: one record for each job, the moment it ends.

using System;
using System.Linq;
using System.Management.Automation;
using System.Threading;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class JobRecordTests : ScriptTest
{
    [Fact]
    public void A_record_has_all_properties()
    {
        DateTime before = DateTime.Now;
        PSObject record = Session.Run("Invoke-RustParallel a { 1; 2; Start-Sleep -Milliseconds 60 } -AsObject").Output.Single();
        Assert.Equal("a", Property(record, "ComputerName"));
        Assert.Equal("Completed", Property(record, "Status"));
        Assert.Equal(["1", "2"], Property<object[]>(record, "Output")!.Select(value => value.ToString()!));
        Assert.Empty(Property<ErrorRecord[]>(record, "Errors")!);
        TimeSpan duration = Property<TimeSpan>(record, "Duration");
        Assert.InRange(duration, TimeSpan.FromMilliseconds(55), DateTime.Now - before);
        var started = Property<DateTime>(record, "TimeStarted");
        var finished = Property<DateTime>(record, "TimeFinished");
        Assert.InRange(started, before.AddMilliseconds(-1), DateTime.Now);
        Assert.Equal(duration, finished - started);
        Assert.InRange(Property<int>(record, "Worker"), 1, 32);
        Assert.Equal("a: Completed", record.ToString());
    }

    [Fact]
    public void The_record_of_an_item_has_it()
    {
        PSObject record = Session.Run("7 | Invoke-RustParallel { $_ * 2 } -AsObject").Output.Single();
        Assert.Equal(7, PSObject.AsPSObject(Property(record, "InputObject")!).BaseObject);
        Assert.Equal("14", Property(record, "Output")!.ToString());
        Assert.Null(record.Properties["ComputerName"]);
    }

    [Fact]
    public void A_record_comes_while_other_jobs_run()
    {
        using var go = new ManualResetEventSlim();
        Call call = Session.Start("1, 2 | Invoke-RustParallel { if ($_ -eq 2) { $null = ($using:go).Wait(20000) } } -AsObject", ("go", go));
        call.WaitUntil(running => running.Output.Any());
        Assert.Equal("1", Property(call.Output.Single(), "InputObject")!.ToString());
        go.Set();
        Assert.Equal(2, call.Wait().Output.Count());
    }

    [Fact]
    public void Errors_are_in_the_record_only()
    {
        Call call = Session.Run("1 | Invoke-RustParallel { Write-Error 'first'; 'out'; throw 'second' } -AsObject");
        PSObject record = call.Output.Single();
        Assert.Equal("Failed", Property(record, "Status"));
        Assert.Equal(["first", "second"], Texts(Property<ErrorRecord[]>(record, "Errors")!));
        Assert.Equal("out", Property(record, "Output")!.ToString());
    }

    [Fact]
    public void Other_streams_still_reach_the_caller() =>
        Assert.Equal(["w"], Session.Run("1 | Invoke-RustParallel { Write-Warning 'w' } -AsObject").Warnings);

    [Fact]
    public void The_record_of_a_host_has_what_the_block_set()
    {
        PSObject record = Session.Run("Invoke-RustParallel a { $Data[$_] = 'own' } -AsObject").Output.Single();
        Assert.Equal("own", Property(record, "Output"));
    }

    [Fact]
    public void A_job_that_ran_out_of_time_says_so_in_its_record()
    {
        Call call = Session.Run("1 | Invoke-RustParallel { 'before'; Start-Sleep 30 } -JobTimeoutSeconds 0.3 -AsObject");
        PSObject record = call.Output.Single();
        Assert.Equal("TimedOut", Property(record, "Status"));
        Assert.Equal("before", Property(record, "Output")!.ToString());
        Assert.Equal("JobTimedOut", Call.Id(Assert.Single(Property<ErrorRecord[]>(record, "Errors")!)));
        Assert.InRange(Property<TimeSpan>(record, "Duration").TotalSeconds, 0.29, 5);
    }

    [Fact]
    public void The_maximum_wait_leaves_records_Stopped_and_NotStarted()
    {
        Call call = Session.RunWithErrors("1..3 | Invoke-RustParallel { if ($_ -gt 1) { Start-Sleep 30 } } -ThrottleLimit 1 -TimeoutSeconds 0.4 -AsObject");
        string[] told = call.Output.Select(record => $"{Property(record, "InputObject")} {Property(record, "Status")}").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["1 Completed", "2 Stopped", "3 NotStarted"], told);
        PSObject notStarted = call.Output.Single(record => Property<string>(record, "Status") == "NotStarted");
        Assert.Equal(0, Property(notStarted, "Worker"));
        Assert.Equal(TimeSpan.Zero, Property(notStarted, "Duration"));
        Assert.Equal("MaximumWaitReached", Call.Id(Assert.Single(call.Errors)));
    }

    [Fact]
    public void There_is_one_record_for_each_job_and_no_hashtable()
    {
        Call call = Session.RunWithErrors("Invoke-RustParallel (1..200 | ForEach-Object { \"host$_\" }) { $n = [int] $_.Substring(4); if ($n % 3 -eq 0) { throw 'no' }; if ($n % 5 -eq 0) { exit }; $_ } -AsObject");
        Assert.Equal(
            Enumerable.Range(1, 200).Select(number => $"host{number}").Order(StringComparer.Ordinal),
            call.Output.Select(record => Property<string>(record, "ComputerName")!).Order(StringComparer.Ordinal));
        Assert.Equal(66, call.Output.Count(record => Property<string>(record, "Status") == "Failed"));
    }
}
