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

    [Fact]
    public void A_parameter_that_the_command_does_not_have_is_each_jobs_error()
    {
        Call call = Session.RunWithErrors("1..3 | Invoke-RustParallel -CommandName Split-Path -ParameterName Nowhere");
        Assert.Equal(3, call.Errors.Count());
        Assert.All(call.Errors, error => Assert.Equal("NamedParameterNotFound", Call.Id(error)));
    }

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
