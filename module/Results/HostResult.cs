// The result of one host. At a million hosts their memory counts: addresses stay numbers until somebody asks, and what few
// hosts have is in an object of its own. With entry and key it is below 300 bytes a host.

using System;
using System.Globalization;
using System.Net;
using RustRunspaces.Results;

namespace RustRunspaces;

/// <summary>
/// What a probe found out about one host. The virtual properties are those that a derived class repeats so that they come
/// first in Export-Csv: reflection lists a class's own properties before inherited ones.
/// </summary>
public class HostResult
{
    private readonly string computerName;
    private readonly HostTexts? texts;
    private readonly double latency; // milliseconds; NaN where there was none
    private readonly DateTime timeFinished;
    private readonly HostAddress address;
    private readonly ushort sent;
    private readonly ushort received;
    private readonly short ttl;
    private readonly byte status;

    internal HostResult(in HostAnswer answer)
    {
        computerName = answer.ComputerName;
        texts = answer.Texts;
        latency = answer.Last < 0 ? double.NaN : Milliseconds(answer.Last);
        timeFinished = answer.TimeFinished;
        address = answer.Address;
        // At most 1,000 attempts a port; what does not fit is shown as the largest number that does.
        sent = (ushort)Math.Min(answer.Sent, ushort.MaxValue);
        received = (ushort)Math.Min(answer.Received, ushort.MaxValue);
        ttl = answer.Ttl;
        status = (byte)answer.Status;
    }

    /// <summary>The host as it was given, or its address where a block or range was given.</summary>
    public virtual string ComputerName => computerName;

    /// <summary>The address probed; null where the name had none.</summary>
    public virtual string? Address => address.ToString();

    /// <summary>Address, typed.</summary>
    public IPAddress? AddressObject => address.ToIPAddress();

    /// <summary>Whether the host itself answered: a reply, an open port or a refusal.</summary>
    public virtual bool Ping => StatusCode.IsAnswer();

    /// <summary>How it ended.</summary>
    public virtual string Status => StatusCode.ToName();

    /// <summary>Status, typed.</summary>
    public JobStatus StatusCode => (JobStatus)status;

    /// <summary>Round trip of the last answer in milliseconds; null where there was none.</summary>
    public virtual double? Latency => double.IsNaN(latency) ? null : latency;

    /// <summary>Attempts sent.</summary>
    public int Sent => sent;

    /// <summary>Attempts answered.</summary>
    public int Received => received;

    /// <summary>Time to live (hop limit) of the last reply; null where unknown.</summary>
    public int? Ttl => ttl < 0 ? null : ttl;

    /// <summary>The host's name, with -ResolveName.</summary>
    public string? HostName => texts?.HostName;

    /// <summary>All addresses of the host, with -ResolveName.</summary>
    public JoinedList<string>? Addresses => texts?.Addresses;

    /// <summary>Who answered, where the reply came from another address than the one probed.</summary>
    public string? AnsweredFrom => texts?.AnsweredFrom;

    /// <summary>When it ended, in local time.</summary>
    public DateTime TimeFinished => timeFinished;

    /// <summary>One sentence on what happened; null where Status says it all.</summary>
    public string? Detail => texts?.Detail;

    /// <summary>The form in which the result shows inside a hashtable.</summary>
    public override string ToString() =>
        string.Format(CultureInfo.CurrentCulture, "@{{Ping={0}; TimeFinished={1}}}", Ping, TimeFinished);

    private protected static double Milliseconds(double nanoseconds) => nanoseconds / 1e6;
}
