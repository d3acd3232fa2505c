// The parameters of Invoke-RustParallel. What they mean to users stands in en-US/RustRunspaces.dll-Help.xml.

using System.Management.Automation;

namespace RustRunspaces;

public sealed partial class InvokeRustParallelCommand
{
    private const string ProbeSet = "Probe";
    private const int LongestMilliseconds = 3_600_000;

    /// <summary>Hosts: names, addresses, CIDR blocks, ranges, or objects that have them.</summary>
    // The aliases are also the properties that ComputerNameTransformation looks for. No alias Address: a piped IPv6
    // [ipaddress] has a property of that name whose getter throws.
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ProbeSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = HostScriptSet)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = HostCommandSet)]
    [Alias("CN", "TargetName", "HostName", "DNSHostName", "Server", "IPAddress")]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    [ComputerNameTransformation]
    [ArgumentCompleter(typeof(ComputerNameCompleter))]
    public string[]? ComputerName { get; set; }

    /// <summary>Attempts until the first reply; all of them with -Statistics.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [ValidateRange(1, 1000)]
    public int Count { get; set; }

    /// <summary>How long to wait for the reply to each attempt.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [ValidateRange(1, LongestMilliseconds)]
    public int ReplyTimeoutMilliseconds { get; set; }

    /// <summary>From attempt to attempt.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [ValidateRange(1, LongestMilliseconds)]
    public int IntervalMilliseconds { get; set; } = 1000;

    /// <summary>Bytes of payload of an echo request.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [ValidateRange(0, 65_500)]
    public int BufferSize { get; set; } = 32;

    /// <summary>Time to live of what is sent.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [ValidateRange(1, 255)]
    public int MaxHops { get; set; }

    /// <summary>Use IPv4 only.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    public SwitchParameter IPv4 { get; set; }

    /// <summary>Use IPv6 only.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    public SwitchParameter IPv6 { get; set; }

    /// <summary>Send all attempts; report loss, duplicates and latencies.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    public SwitchParameter Statistics { get; set; }

    /// <summary>Connect to these ports instead of sending echo requests.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [Alias("Port")]
    [ValidateNotNullOrEmpty]
    [ValidateRange(1, 65_535)]
    [PortListTransformation]
    public int[]? TcpPort { get; set; }

    /// <summary>Report each host's name and all its addresses.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    public SwitchParameter ResolveName { get; set; }

    /// <summary>Echo requests a second; 0 means unlimited.</summary>
    [Parameter(ParameterSetName = ProbeSet)]
    [ValidateRange(0, int.MaxValue)]
    public int PacketsPerSecond { get; set; } = 20_000;

    /// <summary>The whole call, from its beginning; 0 means no limit.</summary>
    [Parameter]
    [Alias("TimeoutSeconds")]
    [ValidateRange(0.0, 2_147_483.0)]
    public double MaximumWaitTimeSeconds { get; set; } = 300;

    /// <summary>Write each result the moment it is there, instead of one hashtable at the end.</summary>
    [Parameter]
    public SwitchParameter AsObject { get; set; }

    /// <summary>Output leaves in the order of the input.</summary>
    [Parameter]
    public SwitchParameter Ordered { get; set; }
}
