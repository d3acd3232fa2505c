// This executable once more, for a script in a process of its own: with other rights, another copy
// of the module, or nothing that other tests left. The script says what it found by lines of text.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;

namespace RustRunspaces.PowerShellTests;

internal static class ChildProcess
{
    public const string ScriptSwitch = "-script";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>Runs a script that imports the module itself.</summary>
    /// <returns>The lines it wrote.</returns>
    public static string[] Run(string script, IEnumerable<string>? prefix = null)
    {
        string[] command = [.. prefix ?? [], Environment.ProcessPath!, ScriptSwitch, script];
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Longest))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The child process has not ended after {Longest.TotalSeconds} seconds: {output.Result}");
        }
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"The child process ended with exit code {process.ExitCode}: {errors.Result}");
        }
        return output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r')).ToArray();
    }

    /// <summary>The child's side: writes each object as a line.</summary>
    public static int RunScript(string script)
    {
        using var session = new Session(manifest: null);
        Call call = session.RunWithErrors(script, ("Manifest", ModuleUnderTest.Manifest));
        foreach (PSObject line in call.Output)
        {
            Console.WriteLine(line);
        }
        if (call.Failure is null && !call.Errors.Any())
        {
            return 0;
        }
        Console.Error.WriteLine(call.Failure?.ToString() ?? string.Join('\n', call.Errors));
        return 1;
    }
}
