// What a user without the right to raw sockets may do: in a child process that has lost it, in a
// network of its own, whose ping_group_range is the system's default (closed) or open.

using System.IO;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class PermissionTests
{
    private const string Import = "Import-Module $Manifest; ";

    // A new network's range is closed; 0 is the group of the child.
    private const string Closed = "true";
    private const string Open = "echo 0 0 >/proc/sys/net/ipv4/ping_group_range";

    public PermissionTests() => Laboratory.Require();

    [Fact]
    public void Without_permission_an_echo_is_IcmpNotPermitted_and_says_how_to_permit_it()
    {
        string[] lines = RunWithoutRawSockets(
            Closed,
            "try { Invoke-RustParallel 127.0.0.1 } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.Exception.Message }");
        Assert.Equal("IcmpNotPermitted,RustRunspaces.InvokeRustParallelCommand", lines[0]);
        Assert.Equal("PermissionDenied", lines[1]);
        Assert.Contains("net.ipv4.ping_group_range", lines[2]);
        Assert.Contains("cap_net_raw", lines[2]);
        Assert.Contains("-TcpPort", lines[2]);
        Assert.Equal(3, lines.Length);
    }

    [Fact]
    public void IcmpNotPermitted_ends_the_call_before_the_input_ends()
    {
        string[] lines = RunWithoutRawSockets(
            Closed,
            "$delivered = 0; try { 1..100 | ForEach-Object { $delivered++; '127.0.0.1' } | Invoke-RustParallel -AsObject } catch { }; $delivered");
        Assert.Equal(["1"], lines);
    }

    [Fact]
    public void Names_and_ports_need_no_permission()
    {
        string[] lines = RunWithoutRawSockets(
            Closed,
            "(Invoke-RustParallel 127.0.0.1 -TcpPort 1 -ResolveName -AsObject).Status");
        Assert.Equal(["Refused"], lines);
    }

    [Fact]
    public void A_group_in_the_range_may_send_echoes_without_raw_sockets()
    {
        string[] lines = RunWithoutRawSockets(
            Open,
            "$r = Invoke-RustParallel 127.0.0.0/28, ::1; $r.Count; @($r.Values | Where-Object Ping).Count");
        Assert.Equal(["15", "15"], lines);
    }

    private static string[] RunWithoutRawSockets(string permit, string script)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "there is no setpriv to take a right away");
        string setup = $"ip link set lo up && {permit} && exec setpriv --bounding-set -net_raw --inh-caps -net_raw -- \"$@\"";
        return ChildProcess.Run(Import + script, ["unshare", "--net", "--", "/bin/sh", "-c", setup, "sh"]);
    }
}
