// Numbers out of their range are refused, with the range in the message; nothing is sent.

using System.Collections;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ParameterValidationTests : ModuleTest
{
    public static TheoryData<string, string, string> Ranges => new()
    {
        { "Count", "1", "1000" },
        { "ReplyTimeoutMilliseconds", "1", "3600000" },
        { "IntervalMilliseconds", "1", "3600000" },
        { "BufferSize", "0", "65500" },
        { "MaxHops", "1", "255" },
        { "TcpPort", "1", "65535" },
        { "PacketsPerSecond", "0", "2147483647" },
        { "MaximumWaitTimeSeconds", "0", "2147483" },
    };

    public static TheoryData<string> Switches => ["IPv4", "IPv6", "Statistics", "ResolveName", "AsObject"];

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_number_below_the_range_is_refused_with_the_smallest(string name, string smallest, string largest)
    {
        _ = largest;
        AssertRefused(name, (long.Parse(smallest) - 1).ToString(), smallest);
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_number_above_the_range_is_refused_with_the_largest(string name, string smallest, string largest)
    {
        _ = smallest;
        if (largest == int.MaxValue.ToString())
        {
            return; // see A_number_that_fits_no_integer_is_refused
        }
        AssertRefused(name, (long.Parse(largest) + 1).ToString(), largest);
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public void The_ends_of_the_range_are_taken(string name, string smallest, string largest)
    {
        // Without hosts nothing is probed, but everything is bound and checked.
        Session.Run($"@() | Invoke-RustParallel -{name} {smallest}");
        Session.Run($"@() | Invoke-RustParallel -{name} {largest}");
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Text_that_is_no_number_is_refused(string name, string smallest, string largest)
    {
        _ = (smallest, largest);
        ErrorRecord error = Session.RunToFailure($"Invoke-RustParallel 127.0.0.1 -{name} many");
        Assert.StartsWith("CannotConvertArgument", error.FullyQualifiedErrorId);
        Assert.Contains(name, error.ToString());
    }

    [Fact]
    public void A_number_that_fits_no_integer_is_refused()
    {
        ErrorRecord error = Session.RunToFailure("Invoke-RustParallel 127.0.0.1 -PacketsPerSecond 2147483648");
        Assert.StartsWith("CannotConvertArgument", error.FullyQualifiedErrorId);
    }

    [Fact]
    public void One_port_out_of_its_range_is_refused_among_others() => AssertRefused("TcpPort", "80, 70000", "65535");

    [Theory]
    [InlineData("$null")]
    [InlineData("@()")]
    public void No_port_at_all_is_refused(string ports)
    {
        ErrorRecord error = Session.RunToFailure($"Invoke-RustParallel 127.0.0.1 -TcpPort {ports}");
        Assert.Contains("ParameterArgumentValidationError", error.FullyQualifiedErrorId);
    }

    [Theory]
    [MemberData(nameof(Switches))]
    public void A_switch_can_be_given_as_false(string name)
    {
        PSObject result = Session.Run($"Invoke-RustParallel localhost -TcpPort 1 -{name}:$false").Output.Single();
        Assert.Equal("TcpHostResult", ((Hashtable)result.BaseObject)["localhost"]!.GetType().Name);
    }

    private void AssertRefused(string name, string value, string bound)
    {
        ErrorRecord error = Session.RunToFailure($"Invoke-RustParallel 127.0.0.1 -{name} {value}");
        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.Contains(name, error.ToString());
        Assert.Contains(bound, error.ToString());
    }
}
