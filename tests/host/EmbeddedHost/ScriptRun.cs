// Runs one script file or command line in one runspace, to its end or to the first signal, and
// gives the exit code. The pipeline runs on the engine's thread, signals arrive on the runtime's.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.PowerShell;

namespace RustRunspaces.EmbeddedHost;

internal sealed class ScriptRun
{
    private const int Interrupted = 130;
    private const int Terminated = 143;

    private readonly ConsoleHost _host = new();
    private PowerShell? _running;
    private int _signalCode;

    /// <summary>Runs command text; the code is that of <c>exit</c>, else 1 if the last statement failed.</summary>
    public static int CommandLine(string text) => new ScriptRun().Run(
        shell => shell.AddScript(text),
        runspace => runspace.SessionStateProxy.GetVariable("?") is false ? 1 : 0);

    /// <summary>Runs a script file; the code is that of <c>exit</c>, else 1 after an uncaught error.</summary>
    public static int File(string path, IEnumerable<CommandParameter> arguments)
    {
        string fullPath = Path.GetFullPath(path);
        if (!System.IO.File.Exists(fullPath))
        {
            Console.Error.WriteLine($"The script file '{path}' does not exist");
            return 64;
        }
        return new ScriptRun().Run(
            shell =>
            {
                var command = new Command(fullPath, isScript: false, useLocalScope: false);
                foreach (CommandParameter argument in arguments)
                {
                    command.Parameters.Add(argument);
                }
                shell.Commands.AddCommand(command);
            },
            _ => 0);
    }

    private int Run(Action<PowerShell> addCommand, Func<Runspace, int> codeAtEnd)
    {
        using PosixSignalRegistration interrupt =
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, Interrupted));
        using PosixSignalRegistration terminate =
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, Terminated));

        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }
        // The view with position, category and FullyQualifiedErrorId: logs are read afterwards.
        state.Variables.Add(new SessionStateVariableEntry("ErrorView", ErrorView.NormalView, null));

        state.Commands.Remove("Out-Default", typeof(SessionStateCmdletEntry));
        state.Commands.Add(new SessionStateCmdletEntry("Out-Default", typeof(OutDefaultToTheEnd), null));

        using Runspace runspace = RunspaceFactory.CreateRunspace(_host, state);
        runspace.ThreadOptions = PSThreadOptions.ReuseThread;
        if (OperatingSystem.IsWindows())
        {
            runspace.ApartmentState = ApartmentState.STA;
        }
        runspace.Open();
        Runspace.DefaultRunspace = runspace;
        EngineInternals.LetExitEndTheRun(runspace);

        using PowerShell shell = PowerShell.Create(runspace);
        addCommand(shell);
        shell.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.AddCommand("Out-Default");
        Volatile.Write(ref _running, shell);
        if (Volatile.Read(ref _signalCode) != 0)
        {
            return _signalCode;
        }

        Exception? failure = Invoke(shell);
        _host.CompleteProgress();
        if (_signalCode != 0)
        {
            return _signalCode;
        }
        if (_host.ExitCode is int exitCode)
        {
            return exitCode;
        }
        if (failure is not null)
        {
            ShowError(runspace, failure);
            return 1;
        }
        return codeAtEnd(runspace);
    }

    private static Exception? Invoke(PowerShell shell)
    {
        try
        {
            shell.Invoke();
            return null;
        }
        catch (PipelineStoppedException)
        {
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    /// <summary>The first signal stops the pipeline; a second one ends the process where it stands.</summary>
    private void Stop(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _signalCode, exitCode, 0) != 0)
        {
            Environment.Exit(exitCode);
        }
        Volatile.Read(ref _running)?.BeginStop(null, null);
    }

    private static void ShowError(Runspace runspace, Exception failure)
    {
        ErrorRecord record = (failure as IContainsErrorRecord)?.ErrorRecord
            ?? new ErrorRecord(failure, failure.GetType().FullName, ErrorCategory.NotSpecified, null);
        using PowerShell shell = PowerShell.Create(runspace);
        var error = new PSObject(record);
        EngineInternals.MarkAsError(error);
        shell.AddCommand("Out-Default");
        shell.Invoke(new[] { error });
    }
}
