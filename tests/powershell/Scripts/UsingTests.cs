// $using: in every form that ForEach-Object -Parallel takes.

using System.Collections.Generic;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class UsingTests : ScriptTest
{
    private const string Prepare =
        """
        $n = 3; $text = 'hello'; $list = 'zero', 'one'; $table = @{ key = 'value'; inner = @{ deep = 'down' } }
        $object = [pscustomobject] @{ Name = 'named'; Inner = [pscustomobject] @{ Name = 'inner' } }
        $splat = @{ Path = '/x/leaf'; Leaf = $true }; $positional = '/x/y', 'z'; $none = $null
        $global:shared = 'global'; $script:scripted = 'script'; ${odd name} = 'odd'; $env:RUSTRUNSPACES_USING = 'environment'

        """;

    [Theory]
    [InlineData("$using:n", "3")]
    [InlineData("$USING:N", "3")]
    [InlineData("${using:n}", "3")]
    [InlineData("$using:n * $_", "3")]
    [InlineData("$using:text.Length", "5")]
    [InlineData("($using:text).ToUpper()", "HELLO")]
    [InlineData("($using:text).Substring($using:n)", "lo")]
    [InlineData("$using:object.Inner.Name", "inner")]
    [InlineData("($using:list)[$_]", "one")]
    [InlineData("$using:list[-1]", "one")]
    [InlineData("$using:table['key']", "value")]
    [InlineData("$using:table.key", "value")]
    [InlineData("$using:table.inner['deep']", "down")]
    [InlineData("$name = 'key'; ($using:table)[$name]", "value")]
    [InlineData("\"<$using:text>\"", "<hello>")]
    [InlineData("\"<$($using:text.Length)>\"", "<5>")]
    [InlineData("\"<${using:text}s>\"", "<hellos>")]
    [InlineData("\"<$($using:table['key'])>\"", "<value>")]
    [InlineData("@\"\n<$using:text>\n\"@", "<hello>")]
    [InlineData("Split-Path @using:splat", "leaf")]
    [InlineData("(Join-Path @using:positional).Replace('\\', '/')", "/x/y/z")]
    [InlineData("Split-Path $using:splat.Path -Leaf", "leaf")]
    [InlineData("$null -eq $using:none", "True")]
    [InlineData("$using:shared", "global")]
    [InlineData("$using:global:shared", "global")]
    [InlineData("$using:script:scripted", "script")]
    [InlineData("$using:env:RUSTRUNSPACES_USING", "environment")]
    [InlineData("${using:odd name}", "odd")]
    [InlineData("if ($true) { foreach ($i in 1) { switch ($i) { 1 { $using:text } } } }", "hello")]
    [InlineData("try { throw 1 } catch { $using:text }", "hello")]
    [InlineData("& { $using:text }", "hello")]
    [InlineData("1 | ForEach-Object { $using:text }", "hello")]
    [InlineData("function Show { $using:text }; Show", "hello")]
    [InlineData("@{ x = $using:text }.x", "hello")]
    [InlineData("[int] $using:n + 1", "4")]
    [InlineData("$x, $y = $using:list; $y", "one")]
    [InlineData("$using:n; $using:text; $using:n", "3 hello 3")]
    [InlineData("'$using:text'", "$using:text")]
    [InlineData("# $using:absent\n 1", "1")]
    public void A_value_of_the_caller_is_read(string block, string expected)
    {
        string script = $"{Prepare} 1 | Invoke-RustParallel -Parallel {{ {block} }}";
        Assert.Equal(expected, string.Join(' ', Lines(script)));
    }

    [Theory]
    [InlineData("$inner = 5; 1 | Invoke-RustParallel { $using:inner }", "5")]
    [InlineData("$inner = 5; 1 | ForEach-Object -Parallel { $using:inner }", "5")]
    [InlineData("$inner = 5; \"$using:text $(1 | Invoke-RustParallel { $using:inner })\"", "hello 5")]
    [InlineData("$text = 'own'; 1 | Invoke-RustParallel { $using:text }", "own")]
    [InlineData("$text = \"$using:text you\"; 1 | Invoke-RustParallel { 1 | Invoke-RustParallel { $_ }; $using:text }", "1 hello you")]
    public void A_nested_blocks_own_using_means_the_job_that_calls_it(string block, string expected) =>
        Assert.Equal(expected, string.Join(' ', Lines($"$text = 'hello'; 1 | Invoke-RustParallel {{ {block} }}")));

    [Fact]
    public void A_splatted_value_keeps_its_lines()
    {
        Call call = Session.RunWithErrors("$splat = @{\n Path = '/x/y'\n}\n1 | Invoke-RustParallel {\n (Split-Path @using:splat).Replace('\\', '/')\n throw 'line 6' }");
        Assert.Contains("line 6", Assert.Single(call.Errors).ScriptStackTrace);
        Assert.Equal(["/x"], Lines(call));
    }

    [Fact]
    public void The_values_are_those_of_the_calling_scope() =>
        Assert.Equal(["local"], Lines("$x = 'outer'; function Start-It { $x = 'local'; 1 | Invoke-RustParallel { $using:x } }; Start-It"));

    [Fact]
    public void A_value_keeps_its_identity()
    {
        var list = new List<int>();
        Session.Run("1 | Invoke-RustParallel { ($using:list).Add(1) }", ("list", list));
        Assert.Single(list);
    }

    [Fact]
    public void A_variable_of_the_blocks_own_with_the_same_name_is_another()
    {
        Assert.Equal(["own hello"], Lines("$text = 'hello'; 1 | Invoke-RustParallel { $text = 'own'; \"$text $using:text\" }"));
    }

    [Theory]
    [InlineData("Invoke-RustParallel a { $using:absent }")]
    [InlineData("1 | Invoke-RustParallel { 1 } -InitializationScript { $using:absent }")]
    public void A_value_that_is_not_there_is_named_before_anything_runs(string call)
    {
        ErrorRecord error = Session.RunToFailure(call);
        Assert.Equal("UsingVariableNotSet", Call.Id(error));
        Assert.Contains("absent", error.ToString());
    }

    [Theory]
    [InlineData("1 | Invoke-RustParallel -Parallel { $using:text }")]
    [InlineData("1 | Invoke-RustParallel -Parallel:{ $using:text }")]
    [InlineData("1 | Invoke-RustParallel -ScriptBlock ({ $using:text })")]
    [InlineData("$block = { $using:text }; 1 | Invoke-RustParallel $block")]
    [InlineData("$call = @{ ScriptBlock = { \"$using:text\" } }; 1 | Invoke-RustParallel @call")]
    public void A_call_inside_a_job_takes_the_values_from_that_job(string inner) =>
        Assert.Equal(["inner"], Lines($"$text = 'outer'; 1 | Invoke-RustParallel {{ $text = 'inner'; {inner} }}"));

    [Theory]
    [InlineData("{ param($x = $using:text) $x + $args.Count }", "1")]
    [InlineData("{ [CmdletBinding()] param($x) \"$x$using:text\" }", "1hello")]
    [InlineData("{ process { \"$_$using:text\" } }", "1hello")]
    [InlineData("{ begin { $using:text } }", "hello")]
    public void Bound_blocks_have_it_too(string block, string expected) =>
        Assert.StartsWith(expected, Assert.Single(Lines($"$text = 'hello'; 1 | Invoke-RustParallel {block}")));

    [Fact]
    public void The_initialization_script_has_it_too() =>
        Assert.Equal(["hello"], Lines("$text = 'hello'; 1 | Invoke-RustParallel { $global:kept } -InitializationScript { $global:kept = $using:text }"));

    [Fact]
    public void The_host_form_has_it_too() =>
        Assert.Equal("a3", Session.Run("$n = 3; Invoke-RustParallel a { \"$_$using:n\" }").Table["a"]!.ToString());
}
