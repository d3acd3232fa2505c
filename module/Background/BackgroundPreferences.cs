// What the caller of -AsJob chose for each stream, read once on the pipeline thread: as the cmdlet would, the job drops what is
// not wanted and ends where it is to stop. Immutable.

using System.Management.Automation;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal sealed class BackgroundPreferences
{
    internal BackgroundPreferences(PSCmdlet cmdlet)
    {
        Error = CallerStreams.Preference(cmdlet, "ErrorAction", "ErrorActionPreference");
        Warning = CallerStreams.Preference(cmdlet, "WarningAction", "WarningPreference");
        Information = CallerStreams.Preference(cmdlet, "InformationAction", "InformationPreference");
        Progress = CallerStreams.Preference(cmdlet, "ProgressAction", "ProgressPreference");
        Verbose = cmdlet.MyInvocation.BoundParameters.TryGetValue("Verbose", out object given) && given is SwitchParameter asked
            ? (asked.IsPresent ? ActionPreference.Continue : ActionPreference.SilentlyContinue)
            : CallerStreams.Preference(cmdlet, "Verbose", "VerbosePreference");
    }

    internal ActionPreference Error { get; }

    internal ActionPreference Warning { get; }

    /// <summary>Collected unless it is to be ignored: whoever receives it decides what is shown.</summary>
    internal ActionPreference Information { get; }

    internal ActionPreference Progress { get; }

    /// <summary>Of the call's own lines: those of its hosts or items are not written where nobody wants them.</summary>
    internal ActionPreference Verbose { get; }
}
