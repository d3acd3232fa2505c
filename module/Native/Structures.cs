// The structs of include/rust_runspaces.h, field for field. Library checks their sizes before the first call;
// the header has the units and ranges. Nothing here is used outside the Native folder but Completion.

using System.Runtime.InteropServices;

namespace RustRunspaces.Native;

/// <summary>rr_pool_options, of a pool for probes only: all callback fields stay null.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PoolOptions
{
    internal const int Size = 72;

    internal uint StructSize;
    internal uint MaximumWorkers;
    internal uint PacketsPerSecond;
    internal uint Apartment;
    internal ulong RunLimitMilliseconds;
    internal ulong JobLimitMilliseconds;
    internal void* Run;
    internal void* Stop;
    internal void* Release;
    internal void* Context;
    internal void* Paused;
}

/// <summary>rr_probe_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ProbeOptions
{
    internal const int Size = 48;
    internal const uint KindEcho = 1;
    internal const uint KindConnect = 2;
    internal const uint FlagStatistics = 1;
    internal const uint FlagResolve = 2;

    internal uint StructSize;
    internal uint Kind;
    internal uint Flags;
    internal uint Count;
    internal uint IntervalMilliseconds;
    internal uint ReplyTimeoutMilliseconds;
    internal uint PayloadSize;
    internal uint Hops;
    internal uint Family;
    internal uint PortCount;
    internal ushort* Ports;

    /// <summary>Milliseconds that the engine waits for a reply where it is not told; depends on the system.</summary>
    internal static uint DefaultReplyTimeout(uint kind) => Library.Get().DefaultReplyTimeout(kind);
}

/// <summary>rr_target.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Target
{
    internal const int Size = 32;
    internal const uint FlagExpanded = 1;

    internal ulong UserData;
    internal uint TextOffset;
    internal uint TextLength;
    internal int Status;
    internal uint Flags;
    internal ulong Jobs;
}

/// <summary>rr_completion: the one answer to a job.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Completion
{
    internal const int Size = 184;

    internal ulong UserData;
    internal ulong Index;
    internal ulong Jobs;
    internal long FinishedUnixNanoseconds;
    internal ulong DurationNanoseconds;

    // Round trips; -1 where there was none.
    internal long LastNanoseconds;
    internal long MinimumNanoseconds;
    internal long MeanNanoseconds;
    internal long MaximumNanoseconds;
    internal long DeviationNanoseconds;

    // Sixteen bytes in network order, read as they lie in memory.
    internal ulong AddressFirst;
    internal ulong AddressSecond;

    internal uint Kind;
    internal uint Outcome;
    internal int SystemError;
    internal uint ScopeId;
    internal uint Sent;
    internal uint Received;
    internal int Duplicates;
    internal uint Worker;
    internal uint HostNameOffset;
    internal uint HostNameLength;
    internal uint AddressesOffset;
    internal uint AddressesLength;
    internal uint DetailOffset;
    internal uint DetailLength;
    internal ushort Family;
    internal ushort Port;
    internal short Ttl;
    internal ushort Reserved;

    // As the address above: who answered in its place, if anybody did.
    internal ulong AnsweredFromFirst;
    internal ulong AnsweredFromSecond;
    internal uint AnsweredFromScopeId;
    internal ushort AnsweredFromFamily;
    internal ushort ReservedToo;
}
