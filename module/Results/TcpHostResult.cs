// The results of -TcpPort.

using System.Collections.Generic;
using System.Linq;
using RustRunspaces.Results;

namespace RustRunspaces;

/// <summary>What connects to a host's ports found out.</summary>
public sealed class TcpHostResult : HostResult
{
    internal TcpHostResult(in HostAnswer answer, PortResult[] ports) : base(answer)
    {
        Ports = new JoinedList<PortResult>(ports);
    }

    /// <inheritdoc/>
    public override string ComputerName => base.ComputerName;

    /// <inheritdoc/>
    public override string? Address => base.Address;

    /// <inheritdoc/>
    public override bool Ping => base.Ping;

    /// <inheritdoc/>
    public override string Status => base.Status;

    /// <inheritdoc/>
    public override double? Latency => base.Latency;

    /// <summary>The ports that are open, in the order in which they were given.</summary>
    public JoinedList<int> OpenPorts => PortResult.Open(Ports);

    /// <summary>Every port, in the order in which they were given.</summary>
    public JoinedList<PortResult> Ports { get; }
}

/// <summary>What connects to a host's ports, repeated for statistics, found out; the figures are those of all ports.</summary>
public sealed class TcpHostStatistics : HostStatistics
{
    internal TcpHostStatistics(in HostAnswer answer, PortResult[] ports) : base(answer)
    {
        Ports = new JoinedList<PortResult>(ports);
    }

    /// <inheritdoc/>
    public override string ComputerName => base.ComputerName;

    /// <inheritdoc/>
    public override string? Address => base.Address;

    /// <inheritdoc/>
    public override bool Ping => base.Ping;

    /// <inheritdoc/>
    public override string Status => base.Status;

    /// <inheritdoc/>
    public override double? Latency => base.Latency;

    /// <summary>The ports that are open, in the order in which they were given.</summary>
    public JoinedList<int> OpenPorts => PortResult.Open(Ports);

    /// <summary>Every port, in the order in which they were given.</summary>
    public JoinedList<PortResult> Ports { get; }
}

/// <summary>What a connect to one port found out.</summary>
public sealed class PortResult
{
    private readonly long latency; // nanoseconds; -1 where there was none

    internal PortResult(int port, JobStatus status, long latency)
    {
        Port = port;
        StatusCode = status;
        this.latency = latency;
    }

    /// <summary>The TCP port.</summary>
    public int Port { get; }

    /// <summary>How the connect ended.</summary>
    public string Status => StatusCode.ToName();

    /// <summary>Status, typed.</summary>
    public JobStatus StatusCode { get; }

    /// <summary>From the connect to its answer in milliseconds; null where there was none.</summary>
    public double? Latency => latency < 0 ? null : latency / 1e6;

    /// <inheritdoc/>
    public override string ToString() => $"{Port}:{Status}";

    internal static JoinedList<int> Open(IEnumerable<PortResult> ports) =>
        new JoinedList<int>(ports.Where(port => port.StatusCode == JobStatus.Success).Select(port => port.Port).ToArray());
}
