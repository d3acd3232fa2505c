// -ResolveName: the host's name and all its addresses.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class ResolveNameTests : ModuleTest
{
    public ResolveNameTests() => Laboratory.RequireEcho();

    [Fact]
    public void Localhost_has_its_name_and_addresses()
    {
        PSObject result = Probe("localhost");
        Assert.Equal("localhost", Property<string>(result, "HostName"), ignoreCase: true);
        Assert.Contains(Property<string>(result, "Address")!, Property<IEnumerable<string>>(result, "Addresses")!);
    }

    [Fact]
    public void All_addresses_of_a_name_are_listed()
    {
        Laboratory.Require();
        PSObject result = Probe(Laboratory.NameWithTwoAddresses);
        Assert.Equal(["127.0.0.22", "fd00:99::22"], Property<IEnumerable<string>>(result, "Addresses")!.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_address_gets_its_name()
    {
        Laboratory.Require();
        PSObject result = Probe("127.0.0.21");
        Assert.Equal(Laboratory.Name, Property(result, "HostName"));
        Assert.Equal(["127.0.0.21"], Property<IEnumerable<string>>(result, "Addresses")!);
    }

    [Fact]
    public void Each_address_of_a_range_gets_its_own_name()
    {
        Laboratory.Require();
        var table = Session.Run("Invoke-RustParallel 127.0.0.20-22 -ResolveName").Table;
        Assert.Equal(Laboratory.Name, Property(table["127.0.0.21"], "HostName"));
        Assert.Equal(Laboratory.NameWithTwoAddresses, Property(table["127.0.0.22"], "HostName"));
        Assert.Null(Property(table["127.0.0.20"], "HostName"));
    }

    [Fact]
    public void Names_are_resolved_with_ports_too()
    {
        Laboratory.Require();
        PSObject result = Session.Run("Invoke-RustParallel 127.0.0.21 -TcpPort 1, 2 -ResolveName -AsObject").Output.Single();
        Assert.Equal(Laboratory.Name, Property(result, "HostName"));
    }

    [Fact]
    public void Nothing_is_resolved_unasked()
    {
        PSObject result = Session.Run("Invoke-RustParallel localhost -AsObject").Output.Single();
        Assert.Null(Property(result, "HostName"));
        Assert.Null(Property(result, "Addresses"));
    }

    private PSObject Probe(string host) => Session.Run($"Invoke-RustParallel {host} -ResolveName -AsObject").Output.Single();
}
