// The streams of jobs: each record reaches the caller's stream once and in order, and the caller's preferences and redirections
// decide what becomes of it.

using System;
using System.Linq;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class StreamTests : ScriptTest
{
    [Fact]
    public void Each_stream_of_a_job_reaches_the_callers_once()
    {
        string[] lines = Lines(
            """
            $VerbosePreference = 'Continue'; $DebugPreference = 'Continue'
            1 | Invoke-RustParallel {
                'out'; Write-Error 'err'; Write-Warning 'warn'; Write-Verbose 'verb'; Write-Debug 'debug'; Write-Information 'info'; Write-Host 'host'
            } *>&1 | ForEach-Object { "$($_.GetType().Name) $_" } | Where-Object { $_ -match ' (out|err|warn|verb|debug|info|host)$' }
            """);
        Assert.Equal(
            [
                "String out", "ErrorRecord err", "WarningRecord warn", "VerboseRecord verb", "DebugRecord debug",
                "InformationRecord info", "InformationRecord host",
            ],
            lines);
    }

    [Fact]
    public void The_order_of_a_jobs_records_is_kept_across_its_streams()
    {
        string[] lines = Lines("1 | Invoke-RustParallel { 1..100 | ForEach-Object { \"o$_\"; Write-Warning \"w$_\"; Write-Host \"h$_\" } } *>&1 | ForEach-Object { \"$_\" }");
        Assert.Equal(Enumerable.Range(1, 100).SelectMany(number => new[] { $"o{number}", $"w{number}", $"h{number}" }), lines);
    }

    [Theory]
    [InlineData("", "err info verb warn")]
    [InlineData("2>$null", "info verb warn")]
    [InlineData("-ErrorAction SilentlyContinue", "info verb warn")]
    [InlineData("-ErrorAction Ignore", "info verb warn")]
    [InlineData("3>$null", "err info verb")]
    [InlineData("-WarningAction SilentlyContinue", "err info verb")]
    [InlineData("4>$null", "err info warn")]
    [InlineData("6>$null", "err verb warn")]
    [InlineData("-InformationAction Ignore", "err verb warn")]
    [InlineData("*>$null", "")]
    public void A_redirection_or_preference_silences_a_stream(string silence, string expected)
    {
        string[] lines = Lines(
            $$"""
            & {
                $VerbosePreference = 'Continue'
                1 | Invoke-RustParallel { Write-Error err; Write-Warning warn; Write-Verbose verb; Write-Information info } {{silence}}
            } *>&1 | ForEach-Object { "$_" } | Where-Object { $_ -in 'err', 'warn', 'verb', 'info' } | Sort-Object
            """);
        Assert.Equal(expected, string.Join(' ', lines));
    }

    [Theory]
    [InlineData("$WarningPreference = 'SilentlyContinue'", 0)]
    [InlineData("$WarningPreference = 'Ignore'", 0)]
    [InlineData("$WarningPreference = 'Continue'", 2)]
    public void Warnings_are_judged_by_the_callers_preference(string preference, int shown)
    {
        Call call = Session.Run($"{preference}; 1, 2 | Invoke-RustParallel {{ Write-Warning \"w$_\" }}");
        Assert.Equal(shown, call.Warnings.Count());
    }

    [Fact]
    public void A_warning_variable_collects_what_is_not_shown()
    {
        Call call = Session.Run("$WarningPreference = 'SilentlyContinue'; 1..3 | Invoke-RustParallel { Write-Warning \"w$_\" } -WarningVariable kept; $kept.Count");
        Assert.Equal(["3"], Lines(call));
        Assert.Empty(call.Warnings);
    }

    [Fact]
    public void An_information_variable_collects_what_is_not_shown() =>
        Assert.Equal(["2"], Lines("$InformationPreference = 'SilentlyContinue'; 1..2 | Invoke-RustParallel { Write-Information 'i' } -InformationVariable kept; $kept.Count"));

    [Fact]
    public void Warnings_can_be_redirected_to_output() =>
        Assert.Equal(["w1"], Lines("1 | Invoke-RustParallel { Write-Warning \"w$_\" } 3>&1"));

    [Fact]
    public void Warnings_do_not_stop_a_job_where_the_caller_stops_at_them()
    {
        Call call = Session.RunWithErrors("1 | Invoke-RustParallel { Write-Warning 'w'; 'went on' } -WarningAction Stop");
        Assert.NotNull(call.Failure);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("-Verbose", true)]
    [InlineData("-Verbose:$false", false)]
    public void Verbose_runs_in_jobs_only_where_the_caller_shows_it(string argument, bool shown)
    {
        Call call = Session.Run($"1 | Invoke-RustParallel {{ Write-Verbose 'from the job'; $VerbosePreference }} {argument}");
        Assert.Equal([shown ? "Continue" : "SilentlyContinue"], Lines(call));
        Assert.Equal(shown ? 1 : 0, call.Verbose.Count(line => line == "from the job"));
    }

    [Theory]
    [InlineData("", "SilentlyContinue")]
    [InlineData("-Debug", "Continue")]
    public void Debug_runs_in_jobs_only_where_the_caller_shows_it(string argument, string preference)
    {
        string[] lines = Lines($"1 | Invoke-RustParallel {{ Write-Debug 'from the job'; $DebugPreference }} {argument} 5>&1");
        Assert.Equal(preference == "Continue" ? ["from the job", "Continue"] : [preference], lines);
    }

    [Fact]
    public void The_preference_variable_of_the_caller_turns_verbose_on()
    {
        Call call = Session.Run("$VerbosePreference = 'Continue'; 1 | Invoke-RustParallel { Write-Verbose 'from the job' }");
        Assert.Contains("from the job", call.Verbose);
    }

    [Fact]
    public void A_preference_that_a_job_changed_is_restored_for_the_next()
    {
        string[] lines = Lines(
            """
            1, 2 | Invoke-RustParallel -ThrottleLimit 1 {
                "$WarningPreference $ErrorActionPreference"
                $global:WarningPreference = 'SilentlyContinue'; $global:ErrorActionPreference = 'Stop'
            }
            """);
        Assert.Equal(["Continue Continue", "Continue Continue"], lines);
    }

    [Fact]
    public void What_is_written_to_the_host_directly_comes_as_information() =>
        Assert.Equal(["direct"], Lines("1 | Invoke-RustParallel { $Host.UI.WriteLine('direct') } 6>&1 | ForEach-Object { \"$_\" }"));

    [Fact]
    public void Information_keeps_its_tags_and_source()
    {
        string[] lines = Lines("1 | Invoke-RustParallel { Write-Information 'i' -Tags one, two } 6>&1 | ForEach-Object { $_.Tags }");
        Assert.Equal(["one", "two"], lines);
    }

    [Fact]
    public void Write_Host_can_be_silenced_by_redirection() =>
        Assert.Empty(Lines("$(1 | Invoke-RustParallel { Write-Host 'h' } 6>$null) 6>&1"));

    [Fact]
    public void Every_record_of_many_jobs_comes_once()
    {
        Call call = Session.RunWithErrors("1..500 | Invoke-RustParallel { $_; Write-Warning \"$_\"; Write-Error \"$_\" }");
        string[] expected = Enumerable.Range(1, 500).Select(number => $"{number}").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(expected, Lines(call).Order(StringComparer.Ordinal));
        Assert.Equal(expected, call.Warnings.Order(StringComparer.Ordinal));
        Assert.Equal(expected, Texts(call.Errors).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Everything_is_written_on_the_pipeline_thread()
    {
        // Downstream runs where output is written.
        string[] lines = Lines(
            "$own = [Environment]::CurrentManagedThreadId; 1..20 | Invoke-RustParallel { $_ } | ForEach-Object { [Environment]::CurrentManagedThreadId - $own }");
        Assert.Equal(Enumerable.Repeat("0", 20), lines);
    }

    [Fact]
    public void A_flood_of_output_waits_for_its_consumer()
    {
        // 4,096 records a worker may be undelivered. What a job has been able to write when the first of its records is read is
        // that, and what the consumer has read meanwhile.
        var written = new Counter();
        string[] lines = Lines(
            """
            1 | Invoke-RustParallel { $w = $using:written; for ($i = 0; $i -lt 20000; $i++) { $w.Enter(); $i } } |
                ForEach-Object { if ($_ -eq 0) { Start-Sleep -Milliseconds 700; $written.Entered } }
            """,
            ("written", written));
        Assert.InRange(int.Parse(Assert.Single(lines), System.Globalization.CultureInfo.InvariantCulture), 2, 4098);
        Assert.Equal(20_000, written.Entered);
    }
}
