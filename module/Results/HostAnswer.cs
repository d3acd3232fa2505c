// What is known of one host, on its way from completions to a result: one completion's values, or those of several ports
// merged. Passed by reference, never stored in results.

using System;
using RustRunspaces.Native;

namespace RustRunspaces.Results;

/// <summary>The values of a result. Times are nanoseconds, -1 where there was no answer.</summary>
internal struct HostAnswer
{
    internal string ComputerName;
    internal HostAddress Address;
    internal JobStatus Status;
    internal DateTime TimeFinished;
    internal HostTexts? Texts;
    internal uint Sent;
    internal uint Received;
    internal int Duplicates;
    internal short Ttl;
    internal long Last;
    internal LatencySummary Summary;

    internal HostAnswer(string computerName, in Completion completion, DateTime timeFinished, HostTexts? texts)
    {
        ComputerName = computerName;
        Address = new HostAddress(completion);
        Status = (JobStatus)completion.Outcome;
        TimeFinished = timeFinished;
        Texts = texts;
        Sent = completion.Sent;
        Received = completion.Received;
        Duplicates = completion.Duplicates;
        Ttl = completion.Ttl;
        Last = completion.LastNanoseconds;
        Summary = new LatencySummary(completion);
    }

    /// <summary>A target that was never begun.</summary>
    internal static HostAnswer NotStarted(string computerName, string? detail) => new HostAnswer
    {
        ComputerName = computerName,
        Status = JobStatus.NotStarted,
        TimeFinished = DateTime.Now,
        Texts = detail is null ? null : new HostTexts(null, null, detail),
        Duplicates = -1,
        Ttl = -1,
        Last = -1,
        Summary = LatencySummary.None,
    };
}

/// <summary>What few results have: names, further addresses, a sentence on what happened.</summary>
internal sealed class HostTexts
{
    internal HostTexts(string? hostName, JoinedList<string>? addresses, string? detail, string? answeredFrom = null)
    {
        HostName = hostName;
        Addresses = addresses;
        Detail = detail;
        AnsweredFrom = answeredFrom;
    }

    internal string? HostName { get; }

    internal JoinedList<string>? Addresses { get; }

    internal string? Detail { get; }

    internal string? AnsweredFrom { get; }
}
