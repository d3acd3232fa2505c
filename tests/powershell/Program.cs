// The entry point: a script for a test's child process, or the tests, which on Linux move into a
// network of their own first.

using System;
using System.Threading.Tasks;
using Xunit;
using Xunit.Runner.InProc.SystemConsole;

// Timing is measured: tests that run beside each other would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace RustRunspaces.PowerShellTests;

internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is [ChildProcess.ScriptSwitch, string script])
        {
            return ChildProcess.RunScript(script);
        }
        if (Laboratory.RunInside(arguments) is int exitCode)
        {
            return exitCode;
        }
        return await ConsoleRunner.Run(arguments);
    }
}
