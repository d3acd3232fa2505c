// What a job's session has of the caller's without being asked: place, culture, language mode, the file of the block, the host.

using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class CallerStateTests : ScriptTest
{
    [Fact]
    public void The_location_is_the_callers()
    {
        using var folder = new ScriptFolder();
        // Brackets are wildcards to PowerShell where a path is not taken literally.
        string place = System.IO.Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "[1]")).FullName;
        Assert.Equal([place, place], Lines("Set-Location -LiteralPath $place; 1, 2 | Invoke-RustParallel { $PWD.Path } -ThrottleLimit 2", ("place", place)));
    }

    [Fact]
    public void A_location_that_a_job_left_is_restored_for_the_next() =>
        Assert.Single(Lines("1, 2 | Invoke-RustParallel { $PWD.Path; Set-Location / } -ThrottleLimit 1").Distinct());

    [Fact]
    public void A_drive_of_the_callers_only_gives_its_place_in_the_file_system()
    {
        using var folder = new ScriptFolder();
        string[] lines = Lines("$state = $ExecutionContext.SessionState; $null = $state.Drive.New([Management.Automation.PSDriveInfo]::new('own', $state.Provider.GetOne('FileSystem'), $folder, '', $null), 'Global'); Set-Location own:; 1 | Invoke-RustParallel { $PWD.Path }", ("folder", folder.Path));
        Assert.Equal([folder.Path], lines);
    }

    [Theory]
    [InlineData("")]
    [InlineData("$PSDefaultParameterValues['Join-Path:ChildPath'] = 'first'; ")]
    public void Default_parameters_that_a_job_left_are_restored_for_the_next(string initialization)
    {
        string[] lines = Lines(
            $$"""
            1..3 | Invoke-RustParallel -ThrottleLimit 1 -InitializationScript { {{initialization}} } {
                "$($PSDefaultParameterValues.Count) $($PSDefaultParameterValues['Join-Path:ChildPath'])"
                if ($_ -eq 1) { $PSDefaultParameterValues['Join-Path:ChildPath'] = 'left' } else { $PSDefaultParameterValues['Split-Path:Leaf'] = $true }
            }
            """);
        Assert.Equal([initialization.Length == 0 ? "0 " : "1 first"], lines.Distinct());
    }

    [Fact]
    public void The_culture_is_the_callers()
    {
        string[] lines = Lines(
            """
            [Threading.Thread]::CurrentThread.CurrentCulture = [cultureinfo]::GetCultureInfo('ar-SA')
            [Threading.Thread]::CurrentThread.CurrentUICulture = [cultureinfo]::GetCultureInfo('fr-FR')
            1 | Invoke-RustParallel { [cultureinfo]::CurrentCulture.Name; [cultureinfo]::CurrentUICulture.Name; (Get-Culture).Name }
            """);
        Assert.Equal(["ar-SA", "fr-FR", "ar-SA"], lines);
    }

    [Fact]
    public void A_culture_that_a_job_left_is_restored_for_the_next()
    {
        string[] lines = Lines("1, 2 | Invoke-RustParallel { [cultureinfo]::CurrentCulture.Name; [cultureinfo]::CurrentCulture = 'ja-JP' } -ThrottleLimit 1");
        Assert.Single(lines.Distinct());
    }

    [Fact]
    public void The_language_mode_is_the_callers()
    {
        using var session = new Session();
        session.Runspace.SessionStateProxy.LanguageMode = PSLanguageMode.ConstrainedLanguage;
        Call call = session.RunWithErrors("1 | Invoke-RustParallel { $ExecutionContext.SessionState.LanguageMode; [IO.File]::Exists('x') }");
        Assert.Equal(["ConstrainedLanguage"], Lines(call));
        Assert.Equal("MethodInvocationNotSupportedInConstrainedLanguage", Call.Id(Assert.Single(call.Errors)));
    }

    [Theory]
    [InlineData("{ Get-Mode } -Functions Get-Mode")]
    [InlineData("{ Get-Mode } -Functions Get-Mo*")]
    [InlineData("{ Get[Mode] } -Functions Get-Mode, 'Get`[Mode`]'")]
    [InlineData("{ Show-Mode } -Functions Show-Mode")]
    [InlineData("-CommandName Show-Mode -ParameterName Item")]
    [InlineData("{ $mode } -Functions Get-Mode -InitializationScript { $mode = Get-Mode }")]
    public void A_function_that_comes_along_has_the_callers_language_mode(string call)
    {
        using var session = new Session();
        session.Run("function Get-Mode { \"$($ExecutionContext.SessionState.LanguageMode)\" }; function Get[Mode] { Get-Mode }; filter Show-Mode($Item) { \"$($ExecutionContext.SessionState.LanguageMode)\" }");
        session.Runspace.SessionStateProxy.LanguageMode = PSLanguageMode.ConstrainedLanguage;
        Assert.Equal(["ConstrainedLanguage"], Lines(session.Run($"1 | Invoke-RustParallel {call}")));
    }

    [Fact]
    public void Using_namespace_of_the_file_comes_along() =>
        Assert.Equal(["StringBuilder"], Lines("using namespace System.Text\n1 | Invoke-RustParallel { [StringBuilder]::new().GetType().Name }"));

    [Fact]
    public void Using_namespace_comes_along_for_bound_blocks() =>
        Assert.Equal(["StringBuilder"], Lines("using namespace System.Text\n1 | Invoke-RustParallel { process { [StringBuilder]::new().GetType().Name } }"));

    [Theory]
    [InlineData("{ \"$PSScriptRoot|$PSCommandPath\" }")]
    [InlineData("{ process { \"$PSScriptRoot|$PSCommandPath\" } }")]
    [InlineData("{ $global:place } -InitializationScript { $global:place = \"$PSScriptRoot|$PSCommandPath\" }")]
    public void The_file_of_the_block_is_known(string block)
    {
        using var folder = new ScriptFolder();
        string file = folder.Write("script.ps1", $"1 | Invoke-RustParallel {block}");
        Assert.Equal([$"{folder.Path}|{file}"], Lines("& $file", ("file", file)));
    }

    [Fact]
    public void The_host_is_named_as_the_callers() =>
        Assert.Equal(["True True"], Lines("$name = $Host.Name; $version = $Host.Version; 1 | Invoke-RustParallel { \"$($Host.Name -eq $using:name) $($Host.Version -eq $using:version)\" }"));

    [Theory]
    [InlineData("Read-Host 'name'")]
    [InlineData("$Host.UI.ReadLine()")]
    [InlineData("$null = $Host.UI.PromptForChoice('a', 'b', [Management.Automation.Host.ChoiceDescription[]] ('x', 'y'), 0)")]
    public void A_question_ends_its_job_with_an_error_that_says_so(string question)
    {
        // Not every host has Read-Host.
        Assert.SkipWhen(question.StartsWith("Read-Host", System.StringComparison.Ordinal) && Lines("[bool] (Get-Command Read-Host -ErrorAction Ignore)")[0] == "False", "there is no Read-Host here");
        Call call = Session.RunWithErrors($"1, 2 | Invoke-RustParallel {{ if ($_ -eq 1) {{ {question} }} \"went on $_\" }} -ThrottleLimit 1");
        Assert.Equal(["went on 2"], Lines(call));
        Assert.Equal("JobCannotAsk", Call.Id(Assert.Single(call.Errors)));
    }

    [Theory]
    [InlineData("$null = $Host.UI.Prompt('', '', [Management.Automation.Host.FieldDescription[]] (, 'Which one'))", "(Which one)")]
    [InlineData("function Get-Own { param([Parameter(Mandatory)] $First, [Parameter(Mandatory)] $Second) }; Get-Own", " First, Second)")]
    public void The_error_of_a_question_tells_what_was_asked(string question, string asked)
    {
        Call call = Session.RunWithErrors($"1 | Invoke-RustParallel {{ {question} }}");
        Assert.Contains(asked, Assert.Single(call.Errors).Exception.Message);
    }

    [Fact]
    public void All_cmdlets_of_a_console_are_there()
    {
        string[] lines = Lines("1 | Invoke-RustParallel { Join-Path a b | Split-Path -Leaf; (1, 2, 3 | Measure-Object -Sum).Sum; @{ a = 1 } | ConvertTo-Json -Compress }");
        Assert.Equal(["b", "6", "{\"a\":1}"], lines);
    }

    [Fact]
    public void The_module_path_of_the_process_stays_as_it_was() =>
        Assert.Equal(["own:path"], Lines("$before = $env:PSModulePath; $env:PSModulePath = 'own:path'; $null = 1 | Invoke-RustParallel { 1 }; $env:PSModulePath; $env:PSModulePath = $before"));
}
