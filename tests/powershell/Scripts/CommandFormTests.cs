// -CommandName: a named command over a set, without a block.

using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class CommandFormTests : ScriptTest
{
    [Fact]
    public void A_cmdlet_runs_with_the_item_bound_by_name() =>
        Assert.Equal(["a", "b"], SortedLines("'/x/a', '/x/b' | Invoke-RustParallel -CommandName Split-Path -ParameterName Path -Parameters @{ Leaf = $true }"));

    [Fact]
    public void Parameters_are_the_same_for_every_job()
    {
        Hashtable table = Session.Run(
            "function Get-Greeting { param($ComputerName, $Word, [switch] $Loud) \"$Word $ComputerName $Loud\" }; Invoke-RustParallel a, b -CommandName Get-Greeting -Parameters @{ Word = 'hello'; Loud = $true }").Table;
        Assert.Equal("hello a True", table["a"]!.ToString());
        Assert.Equal("hello b True", table["b"]!.ToString());
    }

    [Fact]
    public void A_function_of_the_session_comes_along() =>
        Assert.Equal(["<1>"], Lines("function Show-It { param($ComputerName) \"<$ComputerName>\" }; 1 | Invoke-RustParallel -CommandName Show-It"));

    [Fact]
    public void A_filter_of_the_session_comes_along() =>
        Assert.Equal(["filtered"], Lines("filter Test-It($ComputerName) { 'filtered' }; 1 | Invoke-RustParallel -CommandName Test-It"));

    [Fact]
    public void An_alias_of_the_session_is_resolved() =>
        Assert.Equal(["b"], Lines("$Alias:leafer = 'Split-Path'; '/a/b' | Invoke-RustParallel -CommandName leafer -ParameterName Path -Parameters @{ Leaf = $true }"));

    [Fact]
    public void A_script_file_is_a_command()
    {
        using var folder = new ScriptFolder();
        string file = folder.Write("it's.ps1", "param($ComputerName) \"file $ComputerName\"");
        Assert.Equal(["file 1"], Lines("1 | Invoke-RustParallel -CommandName $file", ("file", file)));
    }

    [Fact]
    public void A_function_of_a_module_runs_in_its_module()
    {
        using var folder = new ScriptFolder();
        string file = folder.Write("Own.psm1", "$secret = 'inner'; function Get-Inner { param($ComputerName) \"$secret $ComputerName\" }");
        Assert.Equal(["inner 1"], Lines("Import-Module $file; 1 | Invoke-RustParallel -CommandName Get-Inner -ModuleNames Own", ("file", file)));
    }

    [Theory]
    [InlineData("Import-Module $file", "Get-Inner")]
    [InlineData("Import-Module $file", "Own\\Get-Inner")]
    [InlineData("Import-Module $file; function Get-Inner { 'another' }", "Own\\Get-Inner")]
    [InlineData("Import-Module $file -Prefix My", "Get-MyInner")]
    [InlineData("Import-Module $file; $Alias:inner = 'Get-Inner'", "inner")]
    public void The_module_of_a_function_comes_along(string prepare, string command)
    {
        using var folder = new ScriptFolder();
        string file = folder.Write("Own.psm1", "$secret = 'inner'; function Get-Inner { param($ComputerName) \"$secret $ComputerName\" }");
        Assert.Equal(["inner 1"], Lines($"{prepare}; 1 | Invoke-RustParallel -CommandName {command}", ("file", file)));
    }

    [Fact]
    public void A_nested_modules_function_comes_along_with_the_outer_module()
    {
        using var folder = new ScriptFolder();
        folder.Write("Inner.psm1", "function Get-Inner { param($ComputerName) \"$(Get-Outer) $ComputerName\" }");
        folder.Write("Outer.psm1", "function Get-Outer { 'outer' }");
        string file = folder.Write("Outer.psd1", "@{ ModuleVersion = '1.0'; RootModule = 'Outer.psm1'; NestedModules = 'Inner.psm1'; FunctionsToExport = '*' }");
        Assert.Equal(["outer 1"], Lines("Import-Module $file; 1 | Invoke-RustParallel -CommandName Get-Inner", ("file", file)));
    }

    [Fact]
    public void A_function_that_its_module_does_not_export_is_refused()
    {
        using var folder = new ScriptFolder();
        string file = folder.Write("Own.psm1", "function Get-Inner { param($ComputerName) }; function Start-It { 1 | Invoke-RustParallel -CommandName Get-Inner }; Export-ModuleMember Start-It");
        ErrorRecord error = Session.RunToFailure("Import-Module $file; Start-It", ("file", file));
        Assert.Equal("CommandNotAvailableInJobs", Call.Id(error));
        Assert.Contains("'Own' does not export it", error.ToString());
    }

    [Fact]
    public void A_function_of_a_module_without_a_file_is_refused()
    {
        ErrorRecord error = Session.RunToFailure("$null = New-Module Made { function Get-Inner { param($ComputerName) } } | Import-Module -PassThru; 1 | Invoke-RustParallel -CommandName Get-Inner");
        Assert.Equal("CommandNotAvailableInJobs", Call.Id(error));
        Assert.Contains("-Functions", error.ToString());
    }

    [Fact]
    public void A_copy_of_such_a_function_is_the_way() =>
        Assert.Equal(["<1>"], Lines("$null = New-Module Made { function Get-Inner { param($ComputerName) \"<$ComputerName>\" } } | Import-Module -PassThru; 1 | Invoke-RustParallel -CommandName Get-Inner -Functions Get-Inner"));

    [Fact]
    public void A_cmdlet_is_the_one_that_was_named() =>
        Assert.Equal(["b"], Lines("function Split-Path { 'function' }; '/a/b' | Invoke-RustParallel -CommandName Microsoft.PowerShell.Management\\Split-Path -ParameterName Path -Parameters @{ Leaf = $true } -Functions Split-Path"));

    [Fact]
    public void The_command_itself_can_be_named() =>
        Assert.Equal(["b"], Lines("'/a/b' | Invoke-RustParallel -CommandName Invoke-RustParallel -ParameterName InputObject -Parameters @{ CommandName = 'Split-Path'; ParameterName = 'Path'; Parameters = @{ Leaf = $true } }"));

    [Fact]
    public void A_program_is_found_by_its_path()
    {
        if (System.OperatingSystem.IsWindows())
        {
            Assert.Skip("the program is a shell script");
            return;
        }
        using var folder = new ScriptFolder();
        // The name is an alias of PowerShell's own, too.
        string file = folder.Write("echo", "#!/bin/sh\necho \"program $2\"\n");
        System.IO.File.SetUnixFileMode(file, System.IO.UnixFileMode.UserRead | System.IO.UnixFileMode.UserExecute);
        string[] lines = Lines("Set-Location $folder; 'a' | Invoke-RustParallel -CommandName ./echo -ParameterName n; 'b' | Invoke-RustParallel -CommandName $file -ParameterName n", ("folder", folder.Path), ("file", file));
        Assert.Equal(["program a", "program b"], lines);
    }

    [Fact]
    public void A_command_that_does_not_exist_is_refused_before_anything_runs()
    {
        ErrorRecord error = Session.RunToFailure("1..3 | Invoke-RustParallel -CommandName Get-Nothing");
        Assert.Equal("CommandNotFound", Call.Id(error));
        Assert.Contains("Get-Nothing", error.ToString());
    }

    [Fact]
    public void A_parameter_that_is_bound_twice_is_refused()
    {
        ErrorRecord error = Session.RunToFailure("Invoke-RustParallel a -CommandName Get-Date -Parameters @{ computername = 'b' }");
        Assert.Equal("ParameterBoundTwice", Call.Id(error));
    }

    [Theory]
    [InlineData("1..3 | Invoke-RustParallel -CommandName Split-Path -ParameterName Nowhere")]
    [InlineData("1..3 | Invoke-RustParallel -CommandName Split-Path -ParameterName Path -Parameters @{ Leaf = $true; Nowhere = 1 }")]
    [InlineData("Invoke-RustParallel a, b -CommandName Test-It -Parameters @{ Nowhere = 1 }")]
    [InlineData("Invoke-RustParallel a, b -CommandName $file -ParameterName Nowhere")]
    public void A_parameter_that_the_command_does_not_have_is_refused_before_anything_runs(string script)
    {
        using var folder = new ScriptFolder();
        string file = folder.Write("Test.ps1", "[CmdletBinding()] param($ComputerName)");
        ErrorRecord error = Session.RunToFailure("function Test-It { [CmdletBinding()] param($ComputerName) }; " + script, ("file", file));
        Assert.Equal("ParameterNotFound", Call.Id(error));
        Assert.Contains("'Nowhere'", error.ToString());
    }

    [Fact]
    public void A_command_without_the_default_parameter_is_refused_with_the_way_to_name_another()
    {
        ErrorRecord error = Session.RunToFailure("Invoke-RustParallel a -CommandName Split-Path");
        Assert.Equal("ParameterNotFound", Call.Id(error));
        Assert.Contains("-ParameterName", error.ToString());
    }

    [Theory]
    [InlineData("Host")]
    [InlineData("Computer")]
    [InlineData("Hos")]
    public void A_parameter_is_found_by_alias_and_beginning(string parameter) =>
        Assert.Equal(["1 hello"], Lines($"function Get-Greeting {{ [CmdletBinding()] param([Alias('Host')] $ComputerName, [Alias('Text')] $Greeting) \"$ComputerName $Greeting\" }}; 1 | Invoke-RustParallel -CommandName Get-Greeting -ParameterName {parameter} -Parameters @{{ Tex = 'hello' }}"));

    [Theory]
    [InlineData("function Get-Any { \"$args\" }", "-Nowhere 1")]
    [InlineData("function Get-Any { param([Parameter(ValueFromRemainingArguments)] $Rest) \"$Rest\" }", "-Nowhere 1")]
    [InlineData("function Get-Any { [CmdletBinding()] param() dynamicparam { $all = [Management.Automation.RuntimeDefinedParameterDictionary]::new(); $all['Nowhere'] = [Management.Automation.RuntimeDefinedParameter]::new('Nowhere', [object], [Attribute[]] [Parameter]::new()); $all } end { \"$($PSBoundParameters['Nowhere'])\" } }", "1")]
    public void A_command_that_may_take_more_than_it_declares_is_run(string function, string expected) =>
        Assert.Equal([expected], Lines($"{function}; 1 | Invoke-RustParallel -CommandName Get-Any -ParameterName Nowhere"));

    [Fact]
    public void A_name_with_a_quote_is_no_code()
    {
        ErrorRecord error = Session.RunToFailure("1 | Invoke-RustParallel -CommandName \"x'; 'injected'; '\"");
        Assert.Equal("CommandNotFound", Call.Id(error));
    }

    [Fact]
    public void A_parameter_name_is_no_code()
    {
        ErrorRecord error = Session.RunToFailure("1 | Invoke-RustParallel -CommandName Split-Path -ParameterName 'Path x; \"injected\"; #'");
        Assert.Equal("ParameterArgumentValidationError", Call.Id(error));
    }
}
