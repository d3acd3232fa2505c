// A script block belongs to the runspace that made it. Wherever one would get into another, the call is refused and says why.

using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class RefusalTests : ScriptTest
{
    private const string Prepare = "$block = { 1 }; $table = @{ inner = $block }; ";

    [Theory]
    [InlineData("1 | Invoke-RustParallel { & $using:block }")]
    [InlineData("1 | Invoke-RustParallel { $using:table.inner }")]
    [InlineData("1 | Invoke-RustParallel { 1 } -InitializationScript { & $using:block }")]
    [InlineData("1 | Invoke-RustParallel { & $block } -Variables block")]
    [InlineData("1 | Invoke-RustParallel { param($x, $b) & $b } -ArgumentList $block")]
    [InlineData("Invoke-RustParallel a { 1 } -ArgumentList $block")]
    [InlineData("Invoke-RustParallel a -CommandName ForEach-Object -ParameterName InputObject -Parameters @{ Process = $block }")]
    public void A_script_block_that_would_travel_is_refused(string call)
    {
        ErrorRecord error = Session.RunToFailure(Prepare + call);
        Assert.Equal("ScriptBlockNotAllowed", Call.Id(error));
        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
        Assert.Contains("belongs to the runspace", error.ToString());
        Assert.Contains("[scriptblock]::Create", error.ToString());
    }

    [Fact]
    public void An_item_that_is_one_is_one_error_and_the_others_run()
    {
        Call call = Session.RunWithErrors($"{Prepare} & {{ 1; $block; 2 }} | Invoke-RustParallel {{ $_ }} -ThrottleLimit 1");
        Assert.Equal(["1", "2"], Lines(call));
        Assert.Equal("ScriptBlockNotAllowed", Call.Id(Assert.Single(call.Errors)));
    }

    [Theory]
    [InlineData("1 | Invoke-RustParallel ({ $x }.GetNewClosure())")]
    [InlineData("Invoke-RustParallel a ({ $x }.GetNewClosure())")]
    [InlineData("1 | Invoke-RustParallel { 1 } -InitializationScript ({ $x }.GetNewClosure())")]
    public void A_closure_is_refused(string call)
    {
        ErrorRecord error = Session.RunToFailure("$x = 1; " + call);
        Assert.Equal("ClosureNotAllowed", Call.Id(error));
        Assert.Contains("$using:", error.ToString());
    }

    [Theory]
    [InlineData("1 | Invoke-RustParallel { Get-It } -Functions Get-It")]
    [InlineData("1 | Invoke-RustParallel -CommandName Get-It")]
    public void A_function_that_is_a_closure_is_refused(string call)
    {
        ErrorRecord error = Session.RunToFailure("$x = 1; ${function:Get-It} = { param($ComputerName) $x }.GetNewClosure(); " + call);
        Assert.Equal("ClosureNotAllowed", Call.Id(error));
        Assert.Contains("'Get-It'", error.ToString());
    }

    [Fact]
    public void Its_text_is_the_way() =>
        Assert.Equal(["2"], Lines("$text = { 1 + 1 }.ToString(); 1 | Invoke-RustParallel { & ([scriptblock]::Create($using:text)) }"));
}
