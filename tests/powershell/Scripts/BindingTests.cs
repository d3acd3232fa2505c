// Blocks that need PowerShell's parameter binder get it: attributes, switches, begin, process and end. Others run without, and
// no difference shows.

using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class BindingTests : ScriptTest
{
    [Theory]
    [InlineData("{ [CmdletBinding()] param($ComputerName) \"$ComputerName $($PSBoundParameters.Count)\" }", "a 1")]
    [InlineData("{ param([Parameter(Mandatory)] $ComputerName) $ComputerName }", "a")]
    [InlineData("{ param([Parameter(ValueFromPipeline)] $ComputerName) process { $ComputerName } }", "a")]
    [InlineData("{ param([Parameter(ValueFromPipeline = $true)] $Server) process { $Server } }", "a")]
    [InlineData("{ param([Parameter(Position = 1)] $Second, [Parameter(Position = 0)] $ComputerName) $ComputerName }", "a")]
    [InlineData("{ param([Alias('CN')] $ComputerName) $ComputerName }", "a")]
    [InlineData("{ param([ValidateSet('a', 'b')] $ComputerName) $ComputerName }", "a")]
    [InlineData("{ param($ComputerName, [switch] $Fast) \"$ComputerName $($Fast.IsPresent)\" }", "a False")]
    [InlineData("{ begin { $x = 1 } process { \"$_$x\" } }", "a1")]
    [InlineData("{ process { $_ } }", "a")]
    [InlineData("{ begin { 1 } process { $_ } end { 2 } }", "1 a 2")]
    [InlineData("{ end { $_; 'end' } }", "a end")]
    [InlineData("{ param($ComputerName = 'default') $ComputerName }", "a")]
    [InlineData("{ [CmdletBinding()] param($x) process { \"$x$_\" } }", "aa")]
    [InlineData("{ [CmdletBinding()] param($x) begin { $_ } process { $_ } end { $_ } }", "a a a")]
    [InlineData("{ [CmdletBinding()] param($x) begin { try { throw 1 } catch { } $_ } }", "a")]
    [InlineData("{ param([Parameter(Mandatory)] $x) process { $PSItem } }", "a")]
    [InlineData("{ param([Parameter()] ${odd name}) \"<${odd name}>\" }", "<a>")]
    [InlineData("{ param([Parameter()] ${it's}, $Rest) \"<${it's}>\" }", "<a>")]
    [InlineData("{ param([Parameter(Mandatory)] ${a`}b}) \"<${a`}b}>\" }", "<a>")]
    [InlineData("{ param($ComputerName) # a comment\n $ComputerName # another }\n}", "a")]
    public void The_item_is_bound(string block, string expected) =>
        Assert.Equal(expected, string.Join(' ', Lines($"'a' | Invoke-RustParallel {block}")));

    [Theory]
    [InlineData("{ param($_) $_ }", "a")]
    [InlineData("{ param($Data) $Data }", "a")]
    [InlineData("{ param($x, $_ = 'b') \"$x$_\" }", "ab")]
    [InlineData("{ param() \"$_$($args.Count)\" }", "a0")]
    [InlineData("{ \"$_$($args.Count)$using:text\" }", "a0b")]
    [InlineData("{ param <# ( #> ($x) \"$x$_$using:text\" }", "aab")]
    [InlineData("{ param(\n    [string] $x,\n    $y = 2)\n    \"$x$_$y$using:text$($args.Count)\" }", "aa2b0")]
    [InlineData("{ param($x) \"$x${using:odd name}$using:text\" }", "acb")]
    [InlineData("{ $PSBoundParameters.Count }", "0")]
    [InlineData("{ function Get-It { \"$_$using:text\" } Get-It }", "ab")]
    public void What_comes_along_takes_no_parameters_place(string block, string expected) =>
        Assert.Equal([expected], Lines($"$text = 'b'; ${{odd name}} = 'c'; 'a' | Invoke-RustParallel {block} 3> $null"));

    [Fact]
    public void An_item_is_bound_to_a_switch_by_its_value() =>
        Assert.Equal(["True", "False"], Lines("$true, $false | Invoke-RustParallel { param([switch] $On, $Other) \"$On$Other\" } -MaximumThreadCount 1"));

    [Theory]
    [InlineData("using namespace System.Text; [StringBuilder].Name")]
    [InlineData("using namespace System.Text\n[StringBuilder].Name")]
    [InlineData("using namespace System.Text\nparam($x) [StringBuilder].Name")]
    [InlineData("using namespace System.Text\n[CmdletBinding()] param($x)\n[StringBuilder].Name")]
    [InlineData("using namespace System.Text\nprocess { [StringBuilder].Name }")]
    public void A_text_may_begin_with_using_namespace(string text)
    {
        Assert.Equal(["StringBuilder"], Lines($"1 | Invoke-RustParallel ([scriptblock]::Create('{text}'))"));
        Assert.Equal(["StringBuilder"], Lines($"1 | Invoke-RustParallel {{ $global:name }} -InitializationScript ([scriptblock]::Create(\"using namespace System.Text`n`$global:name = [StringBuilder].Name\"))"));
    }

    [Theory]
    [InlineData("{ $data = 4; $data }", "4")]
    [InlineData("{ [int] $data = 4; $data }", "4")]
    [InlineData("{ foreach ($data in 4) { $data } }", "4")]
    [InlineData("{ $x = 4; & { param($Data) $Data } $x }", "4")]
    public void A_variable_of_the_blocks_own_may_be_called_Data(string block, string expected) =>
        Assert.Equal([expected], Lines($"1 | Invoke-RustParallel {block}"));

    [Theory]
    [InlineData("{ param([int] $Number) $Number.GetType().Name }")]
    [InlineData("{ [CmdletBinding()] param([int] $Number) $Number.GetType().Name }")]
    public void A_type_constraint_converts_the_item(string block) =>
        Assert.Equal(["Int32"], Lines($"'17' | Invoke-RustParallel {block}"));

    [Theory]
    [InlineData("{ param([int] $Number) $Number }")]
    [InlineData("{ param([ValidateRange(1, 3)] [int] $Number) $Number }")]
    public void An_item_that_does_not_fit_is_that_jobs_error(string block)
    {
        Call call = Session.RunWithErrors($"'x', '2' | Invoke-RustParallel {block}");
        Assert.Equal(["2"], Lines(call));
        Assert.Single(call.Errors);
    }

    [Fact]
    public void A_default_value_fills_what_the_argument_list_does_not() =>
        Assert.Equal(["a fast"], Lines("'a' | Invoke-RustParallel { param($ComputerName, $Speed = 'fast') \"$ComputerName $Speed\" }"));

    [Fact]
    public void A_block_made_of_text_runs_like_a_literal() =>
        Assert.Equal(["<a>"], Lines("'a' | Invoke-RustParallel ([scriptblock]::Create('param($x) \"<$x>\" # end'))"));

    [Fact]
    public void The_body_of_a_function_runs_like_a_literal() =>
        Assert.Equal(["<a>"], Lines("function Show($x) { \"<$x>\" }; 'a' | Invoke-RustParallel ${function:Show}"));

    [Theory]
    [InlineData("{ try { throw 1 } catch { } $_ }")]
    [InlineData("{ try { throw 1 } catch { $null = $_ } finally { } ; $_ }")]
    [InlineData("{ $null = 1, 2 | ForEach-Object { $_ }; $_ }")]
    [InlineData("{ function Nested { 5 | Where-Object { $_ } | Out-Null }; Nested; $_ }")]
    [InlineData("{ switch (7) { 7 { $null = $_ } } ; $_ }")]
    [InlineData("{ process { try { throw 1 } catch { } $_ } }")]
    public void The_item_survives_catch_blocks_and_nested_pipelines(string block) =>
        Assert.Equal(["a"], Lines($"'a' | Invoke-RustParallel {block}"));

    [Fact]
    public void Functions_that_the_block_calls_see_the_item() =>
        Assert.Equal(["a"], Lines("'a' | Invoke-RustParallel { function Show { $_ }; Show }"));

    [Fact]
    public void Each_job_has_a_scope_of_its_own() =>
        Assert.Equal(["1", "1", "1"], Lines("1..3 | Invoke-RustParallel { $count += 1; $count } -ThrottleLimit 1"));

    [Theory]
    [InlineData("{ param($x)\n\n  Write-Error 'here' }")]
    [InlineData("{ [CmdletBinding()] param($x)\n\n  Write-Error 'here' }")]
    [InlineData("{ process {\n\n  1/0 } }")]
    [InlineData("{\n\n  throw 'here' }")]
    public void An_error_names_the_line_in_the_callers_script(string block)
    {
        Call call = Session.RunWithErrors($"# line 1\n# line 2\n1 | Invoke-RustParallel {block}");
        Assert.Contains("line 5", Assert.Single(call.Errors).ScriptStackTrace);
    }
}
