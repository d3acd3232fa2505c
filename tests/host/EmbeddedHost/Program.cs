// The entry point: reads the command line and runs it as pwsh would. Knows nothing of how output
// is shown (ConsoleUserInterface) or how a pipeline is run and stopped (ScriptRun). Main thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.EmbeddedHost;

internal static class Program
{
    private const string Usage =
        "usage: EmbeddedHost [-File] script.ps1 [arguments] | EmbeddedHost -Command text";

    /// <summary>pwsh's exit code for a command line it cannot use.</summary>
    private const int BadCommandLine = 64;

    // Switches of pwsh that change nothing here: there is no profile, logo or prompt.
    private static readonly string[] IgnoredSwitches = { "-NoProfile", "-NoLogo", "-NonInteractive" };

    private static int Main(string[] arguments)
    {
        // Read by the engine on its first use: nothing is sent, nothing is written to the user's
        // cache folder.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        if (Environment.GetEnvironmentVariable("PSModuleAnalysisCachePath") is null)
        {
            Environment.SetEnvironmentVariable(
                "PSModuleAnalysisCachePath", OperatingSystem.IsWindows() ? "nul" : "/dev/null");
        }

        string[] rest = arguments
            .SkipWhile(argument => IgnoredSwitches.Contains(argument, StringComparer.OrdinalIgnoreCase))
            .ToArray();
        if (rest.Length == 0)
        {
            Console.Error.WriteLine(Usage);
            return BadCommandLine;
        }

        if (IsSwitch(rest[0], "-Command"))
        {
            return RunUnlessEmpty(rest, () => ScriptRun.CommandLine(string.Join(' ', rest.Skip(1))));
        }
        if (IsSwitch(rest[0], "-File"))
        {
            return RunUnlessEmpty(rest, () => ScriptRun.File(rest[1], ParseArguments(rest.Skip(2))));
        }
        return ScriptRun.File(rest[0], ParseArguments(rest.Skip(1)));
    }

    private static bool IsSwitch(string argument, string name) =>
        argument.Length >= 2 && name.StartsWith(argument, StringComparison.OrdinalIgnoreCase);

    private static int RunUnlessEmpty(string[] rest, Func<int> run)
    {
        if (rest.Length >= 2)
        {
            return run();
        }
        Console.Error.WriteLine(Usage);
        return BadCommandLine;
    }

    /// <summary>
    /// The arguments as pwsh -File reads them: everything is a string, except that
    /// <c>-Name:$true</c> and <c>-Name:$false</c> set switches.
    /// </summary>
    private static IEnumerable<CommandParameter> ParseArguments(IEnumerable<string> arguments)
    {
        foreach (string argument in arguments)
        {
            if (argument.Length < 2 || argument[0] != '-' || char.IsDigit(argument[1]))
            {
                yield return new CommandParameter(null, argument);
                continue;
            }
            int colon = argument.IndexOf(':');
            if (colon < 0)
            {
                yield return new CommandParameter(argument);
                continue;
            }
            string text = argument.Substring(colon + 1);
            object value = text.ToLowerInvariant() switch
            {
                "$true" => true,
                "$false" => false,
                _ => text,
            };
            yield return new CommandParameter(argument.Substring(0, colon), value);
        }
    }
}
