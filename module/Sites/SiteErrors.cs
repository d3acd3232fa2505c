// The error records and warnings of calls over sessions: stable id, fitting category, the session or host as target.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Output;

namespace RustRunspaces.Sites;

internal static class SiteErrors
{
    /// <summary>Why a session counts as lost that nothing came from.</summary>
    internal static readonly string Silence = $"it gave no sign of life for {FarLink.Lease.TotalSeconds:0} seconds";

    private const string Install = "Invoke-Command -Session $sessions { Install-Module RustRunspaces -Force }";

    /// <summary>Non-terminating while other sessions go on, else terminating: sessions that cannot take part.</summary>
    internal static ErrorRecord Unusable(IReadOnlyList<Site> sites, string version, bool isAll)
    {
        string list = string.Join("; ", sites.Select(site => $"'{site.Name}': {site.Problem}"));
        string help = sites.Any(site => site.LacksModule)
            ? $". They need RustRunspaces {version} where their sessions run; install it there with: {Install}"
            : "";
        string others = isAll ? "No session can be used" : $"{sites.Count} of the sessions cannot be used, the others go on";
        return new ErrorRecord(
            new InvalidOperationException($"{others}: {list}{help}"),
            isAll ? "NoUsableSession" : "SessionNotUsable",
            ErrorCategory.ResourceUnavailable,
            sites.Select(site => site.Link.Session).ToArray());
    }

    /// <summary>Non-terminating: there were sessions, and none is left.</summary>
    internal static ErrorRecord AllLost(long unfinished, string noun, string first) => new ErrorRecord(
        new InvalidOperationException($"Every session was lost before {unfinished} {noun} could be finished: {first}. What there is was returned"),
        "AllSessionsLost",
        ErrorCategory.ConnectionError,
        null);

    /// <summary>Non-terminating: a session went away while a job ran in it, which may have done its work or not.</summary>
    internal static ErrorRecord Lost(string site, string reason) => new ErrorRecord(
        new InvalidOperationException($"The session to '{site}' was lost while its job ran: {reason.TrimEnd('.', ' ')}"),
        "SessionLost",
        ErrorCategory.ConnectionError,
        site);

    /// <summary>Non-terminating: the session that a job was given to went away, and no other one may or can run it.</summary>
    internal static ErrorRecord JobLost(object? item, string site, string reason, bool mayRetry) => new ErrorRecord(
        new InvalidOperationException(
            $"The job for '{Errors.Shown(item)}' was lost with the session to '{site}' ({reason}); it may have run or not: "
            + (mayRetry ? "no session was left to run it again" : "use -RetryLost to run such jobs again")),
        "JobLost",
        ErrorCategory.ConnectionError,
        item);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord TakesNoInput() => new ErrorRecord(
        new ArgumentException("-FromEach runs the block or command once on each session, and takes no input: pass values by -ArgumentList, $using: or -Parameters"),
        "InputNotAllowed",
        ErrorCategory.InvalidArgument,
        null);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord TakesNoHosts() => new ErrorRecord(
        new ArgumentException(
            "-FromEach runs a script block or command once on each session, and takes no hosts: leave -FromEach out and the sessions share the jobs, or leave out the hosts and give the values by -ArgumentList, $using: or -Parameters"),
        "FromEachRunsBlockOnce",
        ErrorCategory.InvalidArgument,
        null);

    /// <summary>Non-terminating: the far side does not take a target that this side does.</summary>
    internal static ErrorRecord RefusedThere(string target, string site, string reason) => new ErrorRecord(
        new ArgumentException($"'{Errors.Shown(target)}' cannot be probed from '{site}': {reason}"),
        "InvalidTarget",
        ErrorCategory.InvalidArgument,
        target);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord NeedsSession(string parameter) => new ErrorRecord(
        new ArgumentException($"-{parameter} needs -Session, the sessions to do it from: $sessions = New-PSSession -HostName paris, oslo; then add -Session $sessions"),
        "SessionRequired",
        ErrorCategory.InvalidArgument,
        parameter);
}
