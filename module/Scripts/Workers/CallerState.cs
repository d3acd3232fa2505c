// What the caller's session gives to the runspaces of its jobs: place, culture, language mode, streams, and what was asked to come
// along. Filled on the pipeline thread before the first runspace opens, then read by all workers.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Threading;

namespace RustRunspaces.Scripts.Workers;

internal sealed class CallerState
{
    internal CallerState(PSCmdlet cmdlet)
    {
        Host = cmdlet.Host;
        LanguageMode = cmdlet.SessionState.LanguageMode;
        Location = LocationOf(() => cmdlet.SessionState.Path.CurrentLocation.Path);
        FileSystemLocation = LocationOf(() => cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath);
        Culture = Thread.CurrentThread.CurrentCulture;
        UICulture = Thread.CurrentThread.CurrentUICulture;
        Verbose = Wants(cmdlet, "Verbose", "VerbosePreference");
        Debug = Wants(cmdlet, "Debug", "DebugPreference");
    }

    internal PSHost Host { get; }

    internal PSLanguageMode LanguageMode { get; }

    /// <summary>The caller's location, whose drive may exist in the caller's session only; null where the caller has none.</summary>
    internal string? Location { get; }

    /// <summary>Where to go if <see cref="Location"/> cannot be reached; null in a session without files.</summary>
    internal string? FileSystemLocation { get; }

    internal CultureInfo Culture { get; }

    internal CultureInfo UICulture { get; }

    /// <summary>The caller would show or collect verbose records.</summary>
    internal bool Verbose { get; }

    /// <summary>The caller would show or collect debug records.</summary>
    internal bool Debug { get; }

    /// <summary>Names and values.</summary>
    internal List<KeyValuePair<string, object?>> Variables { get; } = new List<KeyValuePair<string, object?>>();

    /// <summary>Names or paths, as Import-Module takes them.</summary>
    internal List<string> Modules { get; } = new List<string>();

    /// <summary>The values of $using:, by the keys that the engine looks for.</summary>
    internal Hashtable Usings { get; } = new Hashtable(StringComparer.Ordinal);

    // A restricted endpoint may have no drive, or no provider of files.
    private static string? LocationOf(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is RuntimeException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool Wants(PSCmdlet cmdlet, string parameter, string preference)
    {
        if (cmdlet.MyInvocation.BoundParameters.TryGetValue(parameter, out object given))
        {
            return given is SwitchParameter asked && asked.IsPresent;
        }
        object? value = cmdlet.GetVariableValue(preference);
        return LanguagePrimitives.TryConvertTo(value, out ActionPreference chosen)
            && chosen is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);
    }
}
