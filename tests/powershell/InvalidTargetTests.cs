// Items that are no targets: an error each, no entry, and the others go on.

using System;
using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class InvalidTargetTests : ModuleTest
{
    private static readonly string[] PropertyNames =
        ["ComputerName", "CN", "TargetName", "HostName", "DNSHostName", "Server", "IPAddress"];

    public InvalidTargetTests() => Laboratory.RequireEcho();

    public static TheoryData<string> NoTargets =>
    [
        "$null",
        "5",
        "1.5",
        "$true",
        "(Get-Date)",
        "@{}",
        "@{ Name = 'localhost' }",
        "@{ ComputerName = 5 }",
        "@{ ComputerName = '' }",
        "[PSCustomObject]@{ Name = 'localhost' }",
        "[PSCustomObject]@{ ComputerName = $null }",
        "[PSCustomObject]@{ ComputerName = [PSCustomObject]@{ A = 1 } }",
        "'a host'",
        "'a..b'",
        "'999.1.1.1'",
        "'127.0.0.1/33'",
        "'127.0.0.1/x'",
        "'127.0.0.9-127.0.0.1'",
        "'127.0.0.9-1'",
        "'127.0.0.1-256'",
        "'fe80::1'",
        "'0.0.0.0'",
        "'::'",
        "'224.0.0.1'",
        "'ff02::1'",
        "'255.255.255.255'",
    ];

    public static TheoryData<string> TooLarge =>
    [
        "0.0.0.0/0",
        "10.0.0.0/7",
        "10.0.0.0-11.0.0.0",
        "fd00::/103",
        "fd00::/64",
        "::/0",
    ];

    [Theory]
    [MemberData(nameof(NoTargets))]
    public void An_argument_that_is_no_target_is_one_error_and_the_others_go_on(string item)
    {
        Call call = Session.RunWithErrors($"Invoke-RustParallel -ComputerName @('127.0.0.1', {item}, '127.0.0.2')");
        AssertOneInvalidTarget(call);
    }

    [Theory]
    [MemberData(nameof(NoTargets))]
    public void A_piped_item_that_is_no_target_is_one_error_and_the_others_go_on(string item)
    {
        Call call = Session.RunWithErrors($"@('127.0.0.1', {item}, '127.0.0.2') | Invoke-RustParallel");
        AssertOneInvalidTarget(call);
    }

    [Theory]
    [MemberData(nameof(NoTargets))]
    public void An_argument_alone_that_is_no_target_is_one_error_and_an_empty_hashtable(string item)
    {
        Call call = Session.RunWithErrors($"Invoke-RustParallel -ComputerName ({item})");
        Assert.Null(call.Failure);
        Assert.Equal("InvalidTarget", Call.Id(Assert.Single(call.Errors)));
        Assert.Empty(call.Table);
    }

    [Theory]
    [MemberData(nameof(TooLarge))]
    public void A_block_or_range_that_is_too_large_is_TooManyAddresses_and_the_others_go_on(string expression)
    {
        Call call = Session.RunWithErrors($"'127.0.0.1', '{expression}', '127.0.0.2' | Invoke-RustParallel");
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("TooManyAddresses", Call.Id(error));
        Assert.Equal(ErrorCategory.LimitsExceeded, error.CategoryInfo.Category);
        Assert.Equal(expression, error.TargetObject);
        Assert.Contains("16,777,216", error.ToString());
        Assert.Contains(expression, error.ToString());
        Assert.Equal(["127.0.0.1", "127.0.0.2"], call.Table.Keys.Cast<string>().Order());
    }

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("fd00:98::/104")]
    public void The_largest_blocks_are_taken(string expression)
    {
        Laboratory.Require();
        Call call = Session.Start($"Invoke-RustParallel {expression} -Verbose -MaximumWaitTimeSeconds 0");
        call.WaitUntil(running => running.Verbose.Any(line => line.StartsWith("Waiting for 1677721", StringComparison.Ordinal)));
        call.Stop();
        Assert.Empty(call.Errors);
    }

    [Fact]
    public void With_AsObject_an_invalid_item_has_no_row()
    {
        Call call = Session.RunWithErrors("'127.0.0.1', 5, '127.0.0.2' | Invoke-RustParallel -AsObject");
        Assert.Single(call.Errors);
        Assert.Equal(["127.0.0.1", "127.0.0.2"], Names(call.Output).Order());
    }

    [Fact]
    public void Each_invalid_item_is_an_error_of_its_own()
    {
        Call call = Session.RunWithErrors("5, $null, 'a b', '127.0.0.1' | Invoke-RustParallel");
        Assert.Equal(3, call.Errors.Count());
        Assert.Single(call.Table);
    }

    [Fact]
    public void The_error_of_a_string_names_it_and_has_it_as_target()
    {
        ErrorRecord error = Session.RunWithErrors("Invoke-RustParallel 'a host'").Errors.Single();
        Assert.Equal("a host", error.TargetObject);
        Assert.Contains("'a host'", error.ToString());
    }

    [Fact]
    public void The_error_of_an_object_has_it_as_target()
    {
        var item = new Version(1, 2);
        ErrorRecord error = Session.RunWithErrors("$item | Invoke-RustParallel", ("item", item)).Errors.Single();
        Assert.Same(item, PSObject.AsPSObject(error.TargetObject).BaseObject);
    }

    [Theory]
    [InlineData("5", "System.Int32")]
    [InlineData("@{ Name = 1 }", "System.Collections.Hashtable")]
    [InlineData("[version]'1.2'", "System.Version")]
    [InlineData("[PSCustomObject]@{ PSTypeName = 'My.Computer'; Name = 1 }", "My.Computer")]
    public void The_error_of_an_object_names_its_type_and_the_properties_looked_for(string item, string type)
    {
        string message = Session.RunWithErrors($"{item} | Invoke-RustParallel").Errors.Single().ToString();
        Assert.Contains(type, message);
        Assert.All(PropertyNames, name => Assert.Contains(name, message));
    }

    [Fact]
    public void A_message_is_one_line_without_a_dot_at_its_end()
    {
        Call call = Session.RunWithErrors("5, $null, 'a b', '10.0.0.0/7' | Invoke-RustParallel");
        Assert.All(call.Errors.Select(error => error.ToString()), message => Assert.Matches(@"^[^\n]+[^.\n]$", message));
    }

    [Fact]
    public void ErrorAction_Stop_ends_the_call_at_an_invalid_item()
    {
        ErrorRecord error = Session.RunToFailure("5 | Invoke-RustParallel -ErrorAction Stop");
        Assert.Equal("InvalidTarget", Call.Id(error));
    }

    [Fact]
    public void ErrorAction_SilentlyContinue_leaves_the_others()
    {
        Call call = Session.Run("5, '127.0.0.1' | Invoke-RustParallel -ErrorAction SilentlyContinue");
        Assert.Single(call.Table);
    }

    private static void AssertOneInvalidTarget(Call call)
    {
        Assert.Null(call.Failure);
        ErrorRecord error = Assert.Single(call.Errors);
        Assert.Equal("InvalidTarget", Call.Id(error));
        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
        Assert.Equal(["127.0.0.1", "127.0.0.2"], ((Hashtable)call.Output.Single().BaseObject).Keys.Cast<string>().Order());
    }
}
