// What jobs get from the caller by name: -Variables, -Functions, -ModuleNames; and -InitializationScript.

using System;
using System.IO;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class ImportTests : ScriptTest, IDisposable
{
    private readonly ScriptFolder folder = new();

    [Fact]
    public void Nothing_of_the_callers_is_there_unasked()
    {
        string[] lines = Lines(
            "$mine = 1; function Get-Mine { 2 }; 1 | Invoke-RustParallel { $null -eq $mine; $null -eq (Get-Command Get-Mine -ErrorAction Ignore) }");
        Assert.Equal(["True", "True"], lines);
    }

    [Theory]
    [InlineData("-Variables one, two")]
    [InlineData("-Variable one, two")]
    [InlineData("-Variables o*, tw?")]
    [InlineData("-Variables *")]
    [InlineData("-Variables ONE, TWO")]
    public void Variables_come_by_name_and_pattern(string arguments) =>
        Assert.Equal(["1 2"], Lines($"$one = 1; $two = 2; 1 | Invoke-RustParallel {{ \"$one $two\" }} {arguments}"));

    [Fact]
    public void A_pattern_brings_only_what_matches() =>
        Assert.Equal(["1 "], Lines("$one = 1; $two = 2; 1 | Invoke-RustParallel { \"$one $two\" } -Variables o*"));

    [Fact]
    public void All_variables_do_not_replace_what_a_session_has_itself()
    {
        string[] lines = Lines(
            "$PSDefaultParameterValues['x:y'] = 1; 7 | Invoke-RustParallel { $_; $PSDefaultParameterValues.Count; $WarningPreference; $Error.Count } -Variables *");
        Assert.Equal(["7", "0", "Continue", "0"], lines);
    }

    [Fact]
    public void All_variables_leave_script_blocks_behind() =>
        Assert.Equal(["True 1"], Lines("$block = { 1 }; $one = 1; 1 | Invoke-RustParallel { \"$($null -eq $block) $one\" } -Variables *"));

    [Fact]
    public void A_variable_of_the_calling_function_comes_along() =>
        Assert.Equal(["local"], Lines("function Start-It { $x = 'local'; 1 | Invoke-RustParallel { $x } -Variables x }; Start-It"));

    [Fact]
    public void A_job_that_changes_a_variable_does_not_change_the_callers() =>
        Assert.Equal(["2", "1"], Lines("$x = 1; 1 | Invoke-RustParallel { $x = 2; $x } -Variables x; $x"));

    [Theory]
    [InlineData("-Functions Get-One, Get-Two")]
    [InlineData("-Function Get-One, Get-Two")]
    [InlineData("-Functions Get-O*, Get-T??")]
    [InlineData("-Functions *")]
    public void Functions_come_by_name_and_pattern(string arguments) =>
        Assert.Equal(["1 2"], Lines($"function Get-One {{ 1 }}; function Get-Two($x = 2) {{ $x }}; 1 | Invoke-RustParallel {{ \"$(Get-One) $(Get-Two)\" }} {arguments}"));

    [Fact]
    public void A_filter_stays_a_filter() =>
        Assert.Equal(["2", "4"], Lines("filter Get-Double { $_ * 2 }; 1 | Invoke-RustParallel { 1, 2 | Get-Double } -Functions Get-Double"));

    [Fact]
    public void A_function_with_attributes_and_blocks_is_whole()
    {
        string[] lines = Lines(
            """
            function Get-Sum { [CmdletBinding()] param([Parameter(ValueFromPipeline)] [int] $Number) begin { $sum = 0 } process { $sum += $Number } end { $sum } }
            1 | Invoke-RustParallel { 1..4 | Get-Sum } -Functions Get-Sum
            """);
        Assert.Equal(["10"], lines);
    }

    [Fact]
    public void Escaped_wildcards_name_one_variable() =>
        Assert.Equal(["7 "], Lines("${v[x]} = 7; $vx = 8; 1 | Invoke-RustParallel { \"${v[x]} $vx\" } -Variables 'v`[x`]'"));

    [Fact]
    public void Escaped_wildcards_name_one_function() =>
        Assert.Equal(["one"], Lines("function Fo[1] { 'one' }; 1 | Invoke-RustParallel { Fo[1] } -Functions 'Fo`[1`]'"));

    [Theory]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("Error")]
    public void A_constant_that_every_session_has_is_left_alone(string name) =>
        Assert.Equal(["True 0"], Lines($"1 | Invoke-RustParallel {{ \"$true $($Error.Count)\" }} -Variables {name} 6>&1"));

    [Fact]
    public void A_constant_of_the_callers_own_comes_along() =>
        Assert.Equal(["5"], Lines("Set-Variable own 5 -Option Constant; 1 | Invoke-RustParallel { $own } -Variables own"));

    [Fact]
    public void Default_parameters_that_are_brought_along_are_each_workers_own() =>
        Assert.Equal(["first", "first"], Lines(
            """
            $PSDefaultParameterValues['Join-Path:ChildPath'] = 'first'
            1 | Invoke-RustParallel { $PSDefaultParameterValues['Join-Path:ChildPath']; $PSDefaultParameterValues['Join-Path:ChildPath'] = 'left' } -Variables PSDefaultParameterValues
            $PSDefaultParameterValues['Join-Path:ChildPath']
            """));

    [Theory]
    [InlineData("-Variables absent", "VariableNotFound")]
    [InlineData("-Functions Get-Absent", "FunctionNotFound")]
    public void A_name_that_is_not_there_is_refused(string arguments, string id)
    {
        ErrorRecord error = Session.RunToFailure($"1 | Invoke-RustParallel {{ 1 }} {arguments}");
        Assert.Equal(id, Call.Id(error));
        Assert.Contains("bsent", error.ToString());
    }

    [Theory]
    [InlineData("-Variables absent*")]
    [InlineData("-Functions Get-Absent*")]
    [InlineData("-ModuleNames Absent*")]
    public void A_pattern_that_matches_nothing_is_no_error(string arguments) =>
        Assert.Equal(["1"], Lines($"1 | Invoke-RustParallel {{ 1 }} {arguments}"));

    [Theory]
    [InlineData("-ModuleNames Imported")]
    [InlineData("-ModuleName Imported")]
    [InlineData("-ModuleNames Imp*")]
    [InlineData("-ModuleNames $file")]
    public void Modules_come_by_name_path_and_pattern(string arguments)
    {
        string file = WriteModule("Imported", "$state = 'of the module'; function Get-Imported { $state }");
        Assert.Equal(["of the module"], Lines($"Import-Module $file; 1 | Invoke-RustParallel {{ Get-Imported }} {arguments}", ("file", file)));
    }

    [Fact]
    public void A_relative_path_of_a_module_is_the_callers()
    {
        string file = WriteModule("Relative", "function Get-Relative { 1 }");
        Assert.Equal(["1"], Lines("Set-Location (Split-Path $file); 1 | Invoke-RustParallel { Get-Relative } -ModuleNames ./Relative.psm1", ("file", file)));
    }

    [Theory]
    [InlineData("AbsentModule")]
    [InlineData("/absent/Module.psm1")]
    public void A_module_that_cannot_be_imported_fails_the_call(string module)
    {
        ErrorRecord error = Session.RunToFailure($"1..3 | Invoke-RustParallel {{ 1 }} -ModuleNames {module}");
        Assert.Equal("ModuleNotImported", Call.Id(error));
        Assert.Contains(module.Replace('/', Path.DirectorySeparatorChar), error.ToString());
    }

    [Fact]
    public void A_module_whose_script_fails_fails_the_call()
    {
        string file = WriteModule("Broken", "throw 'broken inside'");
        ErrorRecord error = Session.RunToFailure("1 | Invoke-RustParallel { 1 } -ModuleNames $file", ("file", file));
        Assert.Equal("ModuleNotImported", Call.Id(error));
        Assert.Contains("broken inside", error.ToString());
    }

    [Fact]
    public void Modules_that_many_workers_load_at_a_time_are_whole_in_each()
    {
        string[] files = Enumerable.Range(1, 4)
            .Select(number => WriteModule($"Together{number}", string.Concat(Enumerable.Range(1, 30).Select(f => $"function Get-T{number}x{f} {{ {number} }}\n"))))
            .ToArray();
        using var barrier = new System.Threading.Barrier(16);
        string[] lines = Lines(
            """
            1..16 | Invoke-RustParallel -ThrottleLimit 16 -ModuleNames $files {
                $null = ($using:barrier).SignalAndWait(20000)
                (Get-Command Get-T?x* -CommandType Function).Count
            }
            """,
            ("files", files),
            ("barrier", barrier));
        Assert.Equal(16, lines.Length);
        Assert.All(lines, line => Assert.Equal("120", line));
    }

    [Fact]
    public void The_initialization_script_runs_once_in_each_runspace()
    {
        var counter = new Counter();
        using var barrier = new System.Threading.Barrier(3);
        string[] lines = Lines(
            """
            1..30 | Invoke-RustParallel -ThrottleLimit 3 -InitializationScript { ($using:counter).Enter(); $global:ready = 'ready' } {
                if ($_ -le 3) { $null = ($using:barrier).SignalAndWait(20000) }
                $ready
            }
            """,
            ("counter", counter),
            ("barrier", barrier));
        Assert.Equal(Enumerable.Repeat("ready", 30), lines);
        Assert.Equal(3, counter.Entered);
    }

    [Fact]
    public void The_initialization_script_sees_modules_and_variables()
    {
        string file = WriteModule("Before", "function Get-Before { 'module' }");
        Assert.Equal(
            ["module variable"],
            Lines(
                "$x = 'variable'; 1 | Invoke-RustParallel { $made } -InitializationScript { $made = \"$(Get-Before) $x\" } -ModuleNames $file -Variables x",
                ("file", file)));
    }

    [Fact]
    public void What_the_initialization_script_defines_is_there_in_jobs() =>
        Assert.Equal(["made variable"], Lines("1 | Invoke-RustParallel { \"$(Get-Made) $kept\" } -InitializationScript { function Get-Made { 'made' }; $kept = 'variable' }"));

    [Fact]
    public void What_the_initialization_script_writes_is_no_result()
    {
        Call call = Session.Run("Invoke-RustParallel a { 'job' } -InitializationScript { 'preparation' }");
        Assert.Equal("job", call.Table["a"]!.ToString());
        Assert.Single(call.Output);
    }

    [Theory]
    [InlineData("throw 'broken inside'")]
    [InlineData("Write-Error 'broken inside' -ErrorAction Stop")]
    [InlineData("Get-BrokenInside")]
    [InlineData("[int]::Parse('broken inside')")]
    [InlineData("function Connect-It { [int]::Parse('broken inside') }; Connect-It")]
    public void An_initialization_script_that_fails_fails_the_call(string script)
    {
        (Call call, ErrorRecord error) = RunToRefusal($"1..3 | Invoke-RustParallel {{ 'ran' }} -InitializationScript {{ {script} }}");
        Assert.Equal("InitializationScriptFailed", Call.Id(error));
        Assert.Contains("-InitializationScript", error.ToString());
        Assert.Matches("(?i)broken ?inside", error.ToString());
        Assert.Empty(call.Output);
        Assert.Empty(call.Errors);
    }

    [Fact]
    public void An_initialization_script_that_asks_fails_the_call()
    {
        (Call call, ErrorRecord error) = RunToRefusal("1..3 | Invoke-RustParallel { 'ran' } -InitializationScript { $null = $Host.UI.ReadLine(); $made = 1 }");
        Assert.Equal("InitializationScriptFailed", Call.Id(error));
        Assert.Contains("cannot ask", error.ToString());
        Assert.Empty(call.Output);
        Assert.Empty(call.Errors);
    }

    [Fact]
    public void A_module_that_asks_fails_the_call()
    {
        string file = WriteModule("Asking", "$null = $Host.UI.ReadLine(); function Get-Asked { 1 }");
        ErrorRecord error = Session.RunToFailure("1..3 | Invoke-RustParallel { 'ran' } -ModuleNames $file", ("file", file));
        Assert.Equal("ModuleNotImported", Call.Id(error));
        Assert.Contains("cannot ask", error.ToString());
    }

    [Theory]
    [InlineData("Write-Error 'no connection'")]
    [InlineData("try { [int]::Parse('x') } catch { Write-Error 'no connection' }")]
    public void An_initialization_script_that_writes_an_error_goes_on(string script)
    {
        Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ $made }} -ThrottleLimit 1 -InitializationScript {{ {script}; $made = 'made' }}");
        Assert.Equal(["made"], Lines(call));
        Assert.Equal(["no connection"], Texts(call.Errors));
    }

    [Fact]
    public void An_initialization_script_may_return_early() =>
        Assert.Equal(["1 "], Lines("1 | Invoke-RustParallel { \"$made $late\" } -InitializationScript { $made = 1; return; $late = 2 }"));

    [Fact]
    public void An_initialization_scripts_class_is_there_in_jobs() =>
        Assert.Equal(["Made"], Lines("1 | Invoke-RustParallel { Get-Made } -InitializationScript { class Made { }; function Get-Made { [Made]::new().GetType().Name } }"));

    /// <summary>What was written before the call ended with its error.</summary>
    private (Call Call, ErrorRecord Error) RunToRefusal(string script)
    {
        Call call = Session.RunWithErrors($"try {{ {script} }} catch {{ throw }}");
        return (call, Assert.IsAssignableFrom<IContainsErrorRecord>(call.Failure).ErrorRecord);
    }

    void IDisposable.Dispose()
    {
        Dispose();
        folder.Dispose();
    }

    private string WriteModule(string name, string text) => folder.Write(name + ".psm1", text);
}
