// The one list of states of a job. The numbers are RR_OUTCOME_* of include/rust_runspaces.h; the names are what
// users see as the string Status. From 20 on they are the names of .NET's IPStatus.

using System;

namespace RustRunspaces;

/// <summary>How a job ended.</summary>
public enum JobStatus
{
    /// <summary>A valid reply or an open connection.</summary>
    Success = 0,

    /// <summary>TCP: the host itself said no.</summary>
    Refused = 1,

    /// <summary>No answer to any attempt.</summary>
    TimedOut = 2,

    /// <summary>The resolver knows no such name.</summary>
    NameNotFound = 3,

    /// <summary>The resolver did not answer in time.</summary>
    NameLookupTimedOut = 4,

    /// <summary>The local receive buffer overflowed through all repeats: no verdict.</summary>
    Unknown = 5,

    /// <summary>The system refused; Detail says what.</summary>
    PermissionDenied = 6,

    /// <summary>The system refused, or the job failed; Detail says what.</summary>
    Failed = 7,

    /// <summary>A script job that ended.</summary>
    Completed = 8,

    /// <summary>Begun, but ended before it was finished.</summary>
    Stopped = 9,

    /// <summary>Never begun.</summary>
    NotStarted = 10,

    /// <summary>A script job on a remote machine that went away.</summary>
    Lost = 11,

    /// <summary>See IPStatus.</summary>
    DestinationNetworkUnreachable = 20,

    /// <summary>See IPStatus.</summary>
    DestinationHostUnreachable = 21,

    /// <summary>See IPStatus.</summary>
    DestinationProtocolUnreachable = 22,

    /// <summary>See IPStatus.</summary>
    DestinationPortUnreachable = 23,

    /// <summary>See IPStatus.</summary>
    DestinationProhibited = 24,

    /// <summary>See IPStatus.</summary>
    DestinationUnreachable = 25,

    /// <summary>See IPStatus.</summary>
    DestinationScopeMismatch = 26,

    /// <summary>See IPStatus.</summary>
    PacketTooBig = 27,

    /// <summary>See IPStatus.</summary>
    TtlExpired = 28,

    /// <summary>See IPStatus.</summary>
    TtlReassemblyTimeExceeded = 29,

    /// <summary>See IPStatus.</summary>
    TimeExceeded = 30,

    /// <summary>See IPStatus.</summary>
    ParameterProblem = 31,

    /// <summary>See IPStatus.</summary>
    BadHeader = 32,

    /// <summary>See IPStatus.</summary>
    UnrecognizedNextHeader = 33,

    /// <summary>See IPStatus.</summary>
    BadOption = 34,

    /// <summary>See IPStatus.</summary>
    BadRoute = 35,

    /// <summary>See IPStatus.</summary>
    BadDestination = 36,

    /// <summary>See IPStatus.</summary>
    SourceQuench = 37,

    /// <summary>See IPStatus.</summary>
    NoResources = 38,

    /// <summary>See IPStatus.</summary>
    HardwareError = 39,

    /// <summary>See IPStatus.</summary>
    IcmpError = 40,
}

/// <summary>The names of <see cref="JobStatus"/>; Enum.ToString makes a new string at each call.</summary>
internal static class JobStatusNames
{
    private static readonly string[] Names = MakeNames();

    /// <summary>The property Status.</summary>
    internal static string ToName(this JobStatus status) => Names[(int)status];

    /// <summary>Whether the host itself answered.</summary>
    internal static bool IsAnswer(this JobStatus status) => status is JobStatus.Success or JobStatus.Refused;

    /// <summary>Whether the job was ended before it had a verdict.</summary>
    internal static bool IsUnfinished(this JobStatus status) => status is JobStatus.Stopped or JobStatus.NotStarted;

    private static string[] MakeNames()
    {
        var names = new string[(int)JobStatus.IcmpError + 1];
        foreach (JobStatus status in (JobStatus[])Enum.GetValues(typeof(JobStatus)))
        {
            names[(int)status] = status.ToString();
        }
        return names;
    }
}
