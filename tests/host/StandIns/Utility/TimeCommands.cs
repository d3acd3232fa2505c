// Get-Date, New-TimeSpan and Start-Sleep, which a stop ends at once.

using System;
using System.Globalization;
using System.Management.Automation;
using System.Threading;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Date")]
public sealed class GetDateCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true), Alias("LastWriteTime")]
    public DateTime? Date { get; set; }

    [Parameter]
    public int? Year { get; set; }

    [Parameter]
    public int? Month { get; set; }

    [Parameter]
    public int? Day { get; set; }

    [Parameter]
    public int? Hour { get; set; }

    [Parameter]
    public int? Minute { get; set; }

    [Parameter]
    public int? Second { get; set; }

    [Parameter]
    public string? Format { get; set; }

    [Parameter]
    public SwitchParameter AsUTC { get; set; }

    protected override void ProcessRecord()
    {
        DateTime date = Date ?? DateTime.Now;
        date = date
            .AddYears((Year ?? date.Year) - date.Year)
            .AddMonths((Month ?? date.Month) - date.Month)
            .AddDays((Day ?? date.Day) - date.Day)
            .AddHours((Hour ?? date.Hour) - date.Hour)
            .AddMinutes((Minute ?? date.Minute) - date.Minute)
            .AddSeconds((Second ?? date.Second) - date.Second);
        if (AsUTC)
        {
            date = date.ToUniversalTime();
        }
        WriteObject(Format is null ? date : date.ToString(Format, CultureInfo.CurrentCulture));
    }
}

[Cmdlet(VerbsCommon.New, "TimeSpan")]
public sealed class NewTimeSpanCommand : PSCmdlet
{
    [Parameter(Position = 0, ParameterSetName = "Date")]
    public DateTime? Start { get; set; }

    [Parameter(Position = 1, ParameterSetName = "Date")]
    public DateTime? End { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Days { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Hours { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Minutes { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Seconds { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Milliseconds { get; set; }

    protected override void EndProcessing()
    {
        if (Start is null && End is null)
        {
            WriteObject(new TimeSpan(Days, Hours, Minutes, Seconds, Milliseconds));
            return;
        }
        DateTime now = DateTime.Now;
        WriteObject((End ?? now) - (Start ?? now));
    }
}

[Cmdlet(VerbsLifecycle.Start, "Sleep", DefaultParameterSetName = "Seconds")]
public sealed class StartSleepCommand : PSCmdlet, IDisposable
{
    private readonly ManualResetEventSlim _stopped = new();

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Seconds", ValueFromPipeline = true)]
    [ValidateRange(0.0, (double)(int.MaxValue / 1000))]
    public double Seconds { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Milliseconds"), Alias("ms")]
    [ValidateRange(0, int.MaxValue)]
    public int Milliseconds { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Duration"), Alias("ts")]
    public TimeSpan Duration { get; set; }

    public void Dispose() => _stopped.Dispose();

    protected override void ProcessRecord()
    {
        TimeSpan duration = ParameterSetName switch
        {
            "Seconds" => TimeSpan.FromSeconds(Seconds),
            "Milliseconds" => TimeSpan.FromMilliseconds(Milliseconds),
            _ => Duration,
        };
        _stopped.Wait(duration);
    }

    protected override void StopProcessing() => _stopped.Set();
}
