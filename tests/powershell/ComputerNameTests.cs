// What -ComputerName takes, as an argument and from the pipeline.

using System;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ComputerNameTests : ModuleTest
{
    public ComputerNameTests() => Laboratory.RequireEcho();

    public static TheoryData<string> Names7 => ["ComputerName", "CN", "TargetName", "HostName", "DNSHostName", "Server", "IPAddress"];

    [Theory]
    [InlineData("'127.0.0.1'")]
    [InlineData("'127.0.0.1', '127.0.0.2'")]
    [InlineData("([ipaddress]'127.0.0.1')")]
    [InlineData("'127.0.0.1', ([ipaddress]'127.0.0.2')")]
    [InlineData("@{ ComputerName = '127.0.0.1' }")]
    [InlineData("([PSCustomObject]@{ IPAddress = '127.0.0.1' })")]
    [InlineData("([PSCustomObject]@{ IPAddress = [ipaddress]'127.0.0.1' })")]
    [InlineData("([PSCustomObject]@{ IPAddress = '127.0.0.1', '127.0.0.2' })")]
    [InlineData("@(@('127.0.0.1', '127.0.0.2'), '127.0.0.3')")]
    [InlineData("([System.Collections.Generic.List[object]]@('127.0.0.1', '127.0.0.2'))")]
    public void Strings_addresses_objects_and_lists_are_taken_as_argument_and_from_the_pipeline(string items)
    {
        int expected = items.Split("127.0.0.").Length - 1;
        Assert.Equal(expected, Session.Run($"Invoke-RustParallel -ComputerName {items}").Table.Count);
        Assert.Equal(expected, Session.Run($"{items} | Invoke-RustParallel").Table.Count);
    }

    [Fact]
    public void An_IPv6_address_object_is_taken_from_the_pipeline()
    {
        Laboratory.Require();
        Assert.Equal(["::1"], Session.Run("[ipaddress]'::1' | Invoke-RustParallel").Table.Keys.Cast<string>());
    }

    [Fact]
    public void The_parameter_is_the_first_argument() =>
        Assert.Single(Session.Run("Invoke-RustParallel 127.0.0.1").Table);

    [Theory]
    [MemberData(nameof(Names7))]
    public void The_parameter_has_each_name(string name) =>
        Assert.Single(Session.Run($"Invoke-RustParallel -{name} 127.0.0.1").Table);

    [Theory]
    [MemberData(nameof(Names7))]
    public void A_piped_object_is_taken_by_each_property(string name)
    {
        Assert.Equal(["127.0.0.9"], Session.Run($"[PSCustomObject]@{{ {name} = '127.0.0.9' }} | Invoke-RustParallel").Table.Keys.Cast<string>());
        Assert.Equal(
            ["127.0.0.9"],
            Session.Run($"[PSCustomObject]@{{ Id = 1; {name.ToLowerInvariant()} = [ipaddress]'127.0.0.9' }} | Invoke-RustParallel").Table.Keys.Cast<string>());
    }

    [Fact]
    public void The_first_property_that_has_text_is_used()
    {
        Call call = Session.Run("[PSCustomObject]@{ IPAddress = '127.0.0.9'; DNSHostName = '127.0.0.8'; ComputerName = $null } | Invoke-RustParallel");
        Assert.Equal(["127.0.0.8"], call.Table.Keys.Cast<string>());
    }

    [Fact]
    public void A_script_block_takes_another_property()
    {
        Call call = Session.Run("[PSCustomObject]@{ Name = '127.0.0.9' } | Invoke-RustParallel -ComputerName { $_.Name }");
        Assert.Equal(["127.0.0.9"], call.Table.Keys.Cast<string>());
    }

    [Fact]
    public void A_string_with_blanks_around_it_is_the_host()
    {
        // Lines of a file often end so.
        Call call = Session.RunWithErrors("Invoke-RustParallel ' 127.0.0.1 ' -AsObject");
        Assert.Empty(call.Errors);
        Assert.Equal("127.0.0.1", Property(call.Output.Single(), "Address"));
    }

    [Fact]
    public void Without_the_parameter_and_the_pipeline_it_is_asked_for()
    {
        // There is nobody to ask here: the engine says which parameter is missing.
        ErrorRecord error = Session.RunToFailure("Invoke-RustParallel -Count 1");
        Assert.Contains("ComputerName", error.ToString());
    }

    [Fact]
    public void Five_thousand_piped_hosts_are_complete_and_in_one_hashtable()
    {
        Call call = Session.Run("1..5000 | ForEach-Object { \"127.1.$($_ -shr 8).$($_ -band 255)\" } | Invoke-RustParallel -ReplyTimeoutMilliseconds 200");
        Assert.Equal(5000, call.Table.Count);
        Assert.All(call.Table.Values.Cast<object>(), result => Assert.Equal(true, Property(result, "Ping")));
    }

    [Fact]
    public void An_unusual_name_is_looked_up_as_it_is()
    {
        Laboratory.Require();
        Call call = Session.Run("Invoke-RustParallel 'bücher.test', 'under_score.test' -AsObject");
        Assert.Equal(["bücher.test", "under_score.test"], Names(call.Output).Order(StringComparer.Ordinal));
        Assert.All(call.Output, result => Assert.Equal("NameNotFound", Property(result, "Status")));
    }
}
