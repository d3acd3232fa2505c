// A network of the tests' own, on Linux: the executable starts itself once more in new network and
// mount namespaces, where some addresses are silent or have no route and names come from a file of
// the tests'. Nothing outside is changed, and nothing remains. Elsewhere, and where the system
// permits no namespaces, the tests that need it are skipped.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using Xunit;

namespace RustRunspaces.PowerShellTests;

internal static class Laboratory
{
    /// <summary>A /16 whose packets nobody answers: routed to the loopback device, which drops what is not its own.</summary>
    public const string SilentNetwork = "10.99.0.0/16";

    /// <summary>Hosts that never answer, by ICMP or TCP.</summary>
    public const string Silent = "10.99.0.1";
    public const string Silent2 = "10.99.0.2";

    /// <summary>Addresses that the routing table refuses.</summary>
    public const string Unreachable = "10.98.0.1";
    public const string Blackholed = "10.97.0.1";
    public const string Prohibited = "10.96.0.1";

    /// <summary>Names: see <see cref="HostsFile"/>.</summary>
    public const string Name = "mini.test";
    public const string NameWithTwoAddresses = "dual.test";
    public const string UnknownName = "unknown.test";

    private const string StateVariable = "RUSTRUNSPACES_TEST_NETWORK";
    private const string HomeVariable = "HOME";
    private const string Inside = "inside";

    private const string HostsFile = """
        127.0.0.1 localhost
        ::1 localhost
        127.0.0.21 mini.test
        fd00:99::22 dual.test
        127.0.0.22 dual.test
        """;

    private const string KnownHostsFile = """
        # a comment
        known.test,10.96.0.9 ssh-ed25519 AAAA
        [ported.test]:2222 ssh-ed25519 AAAA
        @cert-authority *.pattern.test ssh-ed25519 AAAA
        |1|F1E2= ssh-ed25519 AAAA
        """;

    private const string Setup = """
        ip link set lo up &&
        ip address add fd00:99::22/128 dev lo &&
        ip route add 10.99.0.0/16 dev lo &&
        ip route add unreachable 10.98.0.0/16 &&
        ip route add blackhole 10.97.0.0/16 &&
        ip route add prohibit 10.96.0.0/16 &&
        mount --bind "$1/hosts" /etc/hosts &&
        mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf &&
        shift && exec "$@"
        """;

    /// <summary>Skips the test unless it runs in the network of the tests' own.</summary>
    public static void Require() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable(StateVariable) == Inside,
        "there is no network of the tests' own: " + (Environment.GetEnvironmentVariable(StateVariable) ?? "this is not Linux"));

    /// <summary>Skips the test unless ICMP can be sent here.</summary>
    public static void RequireEcho() => Assert.SkipUnless(
        !OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(StateVariable) == Inside || Environment.UserName == "root",
        "ICMP needs root, CAP_NET_RAW or net.ipv4.ping_group_range");

    /// <summary>Runs these tests inside.</summary>
    /// <returns>Their exit code; null where they run in this process: inside already, or nowhere else.</returns>
    public static int? RunInside(string[] arguments)
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(StateVariable) is not null)
        {
            return null;
        }
        DirectoryInfo folder = Directory.CreateTempSubdirectory("rustrunspaces-tests-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "hosts"), HostsFile + "\n");
            File.WriteAllText(Path.Combine(folder.FullName, "nsswitch.conf"), "hosts: files\n");
            string ssh = Directory.CreateDirectory(Path.Combine(folder.FullName, ".ssh")).FullName;
            File.WriteAllText(Path.Combine(ssh, "known_hosts"), KnownHostsFile + "\n");

            using (Process trial = Start(folder.FullName, ["true"], redirect: true))
            {
                string reason = trial.StandardError.ReadToEnd().Trim();
                trial.WaitForExit();
                if (trial.ExitCode != 0)
                {
                    Environment.SetEnvironmentVariable(StateVariable, reason.Length == 0 ? "unshare failed" : reason);
                    return null;
                }
            }
            using Process run = Start(folder.FullName, [Environment.ProcessPath!, .. arguments], redirect: false);
            run.WaitForExit();
            return run.ExitCode;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Process Start(string folder, IEnumerable<string> command, bool redirect)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardError = redirect };
        // A user without rights is root in a user namespace of its own, where the system permits that.
        string user = Environment.UserName == "root" ? "" : "--map-root-user";
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec unshare {user} --net --mount --fork --kill-child -- /bin/sh -c \"$0\" sh \"$@\"");
        start.ArgumentList.Add(Setup);
        start.ArgumentList.Add(folder);
        foreach (string argument in command)
        {
            start.ArgumentList.Add(argument);
        }
        start.Environment[StateVariable] = Inside;
        start.Environment[HomeVariable] = folder;
        return Process.Start(start)!;
    }
}
