// Hosts with several ports, some of which are still open: collects the ports' completions until a host is whole.
// Pipeline thread.

using System;
using System.Collections.Generic;
using RustRunspaces.Results;

namespace RustRunspaces.Probes;

internal sealed class PortMerger
{
    private readonly ushort[] ports;
    private readonly Dictionary<Key, Host> hosts = new Dictionary<Key, Host>();

    internal PortMerger(ushort[] ports)
    {
        this.ports = ports;
    }

    /// <summary>Takes one port's answer.</summary>
    /// <param name="slot">The target.</param>
    /// <param name="job">The job's index within the target: address index x ports + port index.</param>
    /// <param name="answer">What became of it.</param>
    /// <param name="merged">The host's answer, when this was its last port.</param>
    /// <param name="results">Its ports.</param>
    /// <returns>Whether the host is whole.</returns>
    internal bool Add(int slot, long job, in HostAnswer answer, out HostAnswer merged, out PortResult[] results)
    {
        int port = (int)(job % ports.Length);
        var key = new Key(slot, job / ports.Length);
        if (!hosts.TryGetValue(key, out Host? host))
        {
            host = new Host(ports.Length);
            hosts.Add(key, host);
        }
        host.Add(port, ports[port], answer);
        merged = host.Answer;
        results = host.Results;
        if (!host.IsWhole)
        {
            return false;
        }
        hosts.Remove(key);
        return true;
    }

    /// <summary>One host: its ports' results and, summed up, what counts for the host.</summary>
    private sealed class Host
    {
        internal readonly PortResult[] Results;
        internal HostAnswer Answer;
        private int answered;
        private int decidingPort;

        internal Host(int ports)
        {
            Results = new PortResult[ports];
        }

        internal bool IsWhole => answered == Results.Length;

        internal void Add(int port, ushort number, in HostAnswer answer)
        {
            Results[port] = new PortResult(number, answer.Status, answer.Last);
            if (answered++ == 0)
            {
                Answer = answer;
                decidingPort = port;
                return;
            }
            HostAnswer earlier = Answer;
            int ours = Rank(answer.Status);
            int theirs = Rank(earlier.Status);
            if (ours < theirs || (ours == theirs && port < decidingPort))
            {
                Answer = answer;
                decidingPort = port;
            }
            Answer.TimeFinished = answer.TimeFinished > earlier.TimeFinished ? answer.TimeFinished : earlier.TimeFinished;
            Answer.Summary = LatencySummary.Merge(earlier.Summary, earlier.Received, answer.Summary, answer.Received);
            Answer.Sent = earlier.Sent + answer.Sent;
            Answer.Received = earlier.Received + answer.Received;
            Answer.Duplicates = earlier.Duplicates < 0 || answer.Duplicates < 0 ? -1 : earlier.Duplicates + answer.Duplicates;
        }

        /// <summary>Which port decides for its host: an open one, else a refused one, else the first with a verdict.</summary>
        private static int Rank(JobStatus status) => status switch
        {
            JobStatus.Success => 0,
            JobStatus.Refused => 1,
            JobStatus.Stopped => 3,
            JobStatus.NotStarted => 4,
            _ => 2,
        };
    }

    private readonly struct Key : IEquatable<Key>
    {
        private readonly int slot;
        private readonly long address;

        internal Key(int slot, long address)
        {
            this.slot = slot;
            this.address = address;
        }

        public bool Equals(Key other) => slot == other.slot && address == other.address;

        public override bool Equals(object? other) => other is Key key && Equals(key);

        public override int GetHashCode() => unchecked((slot * 397) ^ address.GetHashCode());
    }
}
