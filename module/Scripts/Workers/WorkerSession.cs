// A worker's runspace: opened on the worker's thread, made ready as the caller asked, put back between jobs, closed there.
// Worker's thread, but for StopPreparing.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerSession : IDisposable
{
    private const string ModulePath = "PSModulePath";

    private const string ForgetBreakpoints =
        "Microsoft.PowerShell.Utility\\Get-PSBreakpoint | Microsoft.PowerShell.Utility\\Remove-PSBreakpoint; Microsoft.PowerShell.Core\\Set-PSDebug -Off";

    private readonly WorkerSetup setup;
    private readonly object gate = new object();
    private PowerShell? preparing;
    private bool isStopped;
    private PSVariable item = null!;
    private ArrayList errors = null!;
    private ParameterDefaults? parameterDefaults;
    private ErrorRecord? refusal;
    private readonly bool isFirst;
    private PSDriveInfo drive = null!;
    private string location = "";
    private string locationOnDrive = "";
    private GlobalVariables? variables;
    private HashSet<int> subscriptions = new HashSet<int>();

    private WorkerSession(WorkerSetup setup, WorkerHost host)
    {
        this.setup = setup;
        Runspace = RunspaceFactory.CreateRunspace(host, setup.Template);
        int number = setup.NextRunspace();
        isFirst = number == 1;
        Runspace.Name = string.Format(CultureInfo.InvariantCulture, "{0} {1}", SessionTemplate.CmdletName, number);
    }

    internal Runspace Runspace { get; }

    /// <param name="setup">What to prepare for.</param>
    /// <param name="host">The worker's.</param>
    /// <param name="streams">Carry what the preparation writes.</param>
    /// <param name="created">Told of the session before its preparation begins, so that it can be stopped.</param>
    /// <param name="opened">Told that the runspace is open, where what follows may take long.</param>
    /// <exception cref="CallRefusedException">The runspace cannot be opened or made ready.</exception>
    internal static WorkerSession Open(WorkerSetup setup, WorkerHost host, WorkerStreams streams, Action<WorkerSession> created, Action opened)
    {
        WorkerSession? session = null;
        try
        {
            session = new WorkerSession(setup, host);
            created(session);
            session.Open();
            if (setup.Initialization is not null || setup.Caller.Modules.Count > 0)
            {
                opened();
            }
            // What it says, it says in every runspace: once is enough, but an error may be of this one only.
            streams.IsRepeated = !session.isFirst;
            session.Prepare(streams);
            streams.IsRepeated = false;
            return session;
        }
        catch (CallRefusedException)
        {
            session?.Dispose();
            throw;
        }
        catch (Exception error)
        {
            session?.Dispose();
            throw new CallRefusedException(ScriptErrors.RunspaceNotOpened(error));
        }
    }

    /// <summary>Ends what the preparation runs. Any thread; does not block.</summary>
    internal void StopPreparing()
    {
        lock (gate)
        {
            isStopped = true;
            if (preparing is not null)
            {
                PipelineStop.Begin(preparing);
            }
        }
    }

    /// <summary>What makes the runspace ready asked a question: it has failed.</summary>
    internal void Refused(ErrorRecord error) => refusal = error;

    /// <summary>Puts back what a job may have changed, and sets $_.</summary>
    internal void Reset(SessionState state, object? nextItem)
    {
        if (setup.ChangesSession)
        {
            ResetSession(state);
        }
        parameterDefaults?.Restore();
        if (errors.Count > 0)
        {
            errors.Clear();
        }
        // Not by Path.CurrentLocation, which makes three objects.
        PSDriveInfo current = state.Drive.Current;
        if (!ReferenceEquals(current, drive) || !string.Equals(current.CurrentLocation, locationOnDrive, StringComparison.Ordinal))
        {
            SetLocation(state.Path, location);
        }
        SetCulture();
        item.Value = nextItem;
    }

    public void Dispose() => Runspace.Dispose();

    /// <summary>
    /// What only jobs that call commands or name a scope can have changed: global variables, which are those of script scope, too,
    /// event subscribers and breakpoints. Functions, aliases, drives and modules stay.
    /// </summary>
    private void ResetSession(SessionState state)
    {
        if (variables is null)
        {
            variables = new GlobalVariables(state);
            subscriptions = new HashSet<int>(Runspace.Events.Subscribers.Select(subscriber => subscriber.SubscriptionId));
            return;
        }
        variables.Restore();
        foreach (PSEventSubscriber subscriber in Runspace.Events.Subscribers.Where(subscriber => !subscriptions.Contains(subscriber.SubscriptionId)))
        {
            Runspace.Events.UnsubscribeEvent(subscriber);
        }
        while (Runspace.Events.ReceivedEvents.Count > 0)
        {
            Runspace.Events.ReceivedEvents.RemoveAt(0);
        }
        if (Runspace.Debugger is { IsActive: true })
        {
            try
            {
                state.InvokeCommand.InvokeScript(false, ScriptBlock.Create(ForgetBreakpoints), null, null);
            }
            catch (RuntimeException error) when (error is not PipelineStoppedException)
            {
                // An earlier job took the commands away, which is no error of the next one.
            }
        }
    }

    private void Open()
    {
        // Opening writes the engine's own idea of the module path into the environment of the process.
        string modulePath = Environment.GetEnvironmentVariable(ModulePath);
        Runspace.Open();
        if (modulePath is not null && !string.Equals(modulePath, Environment.GetEnvironmentVariable(ModulePath), StringComparison.Ordinal))
        {
            Environment.SetEnvironmentVariable(ModulePath, modulePath);
        }
        SetCulture();
        SetLocation();
    }

    private void Prepare(WorkerStreams streams)
    {
        foreach (KeyValuePair<string, ScriptBlock> function in setup.FunctionBlocks)
        {
            Runspace.SessionStateProxy.InvokeProvider.Item.Set(new[] { "Function::" + function.Key }, function.Value, force: true, literalPath: true);
        }
        if (setup.Definitions is ScriptBlock definitions)
        {
            Run(definitions, streams);
        }
        ParameterDefaults.Separate(Runspace.SessionStateProxy.PSVariable);
        foreach (string module in setup.Caller.Modules)
        {
            Import(module, streams);
        }
        if (setup.Initialization is ScriptBlock initialization)
        {
            Initialize(initialization, streams);
        }
        PSVariableIntrinsics variables = Runspace.SessionStateProxy.PSVariable;
        variables.Set("_", null);
        variables.Set("LASTEXITCODE", null);
        item = variables.Get("_");
        errors = (ArrayList)variables.GetValue("Error");
        errors.Clear();
        parameterDefaults = ParameterDefaults.Of(variables);
        location = Runspace.SessionStateProxy.Path.CurrentLocation.Path;
        drive = Runspace.SessionStateProxy.Drive.Current;
        locationOnDrive = drive.CurrentLocation;
    }

    private void Initialize(ScriptBlock block, WorkerStreams streams)
    {
        try
        {
            Run(block, streams);
        }
        catch (RuntimeException error)
        {
            throw new CallRefusedException(ScriptErrors.InitializationFailed(ScriptErrors.FromException(error)));
        }
        if (refusal is not null)
        {
            throw new CallRefusedException(ScriptErrors.InitializationFailed(refusal));
        }
    }

    private void Import(string module, WorkerStreams streams)
    {
        using var imported = new PSDataCollection<PSObject>();
        try
        {
            setup.Imports.Import(module, () => Run(
                streams,
                imported,
                powerShell => powerShell.AddCommand("Microsoft.PowerShell.Core\\Import-Module")
                    .AddParameter("Name", module)
                    .AddParameter("PassThru")
                    .AddParameter("ErrorAction", ActionPreference.Stop)));
        }
        catch (RuntimeException error)
        {
            throw new CallRefusedException(ScriptErrors.ModuleNotImported(module, error.ErrorRecord.Exception.Message, error));
        }
        if (refusal is not null || (imported.Count == 0 && !HasCmdletsOf(module)))
        {
            throw new CallRefusedException(ScriptErrors.ModuleNotImported(module, refusal?.Exception.Message ?? "nothing was imported", refusal?.Exception));
        }
    }

    /// <summary>Import-Module only warns of a module that the session has as a snap-in.</summary>
    private bool HasCmdletsOf(string module) =>
        Runspace.SessionStateProxy.InvokeCommand.GetCommands(module + "\\*", CommandTypes.Cmdlet, true).Any();

    /// <summary>Runs a block in the global scope.</summary>
    private void Run(ScriptBlock block, WorkerStreams streams)
    {
        using PSDataCollection<PSObject> output = streams.Output();
        Run(streams, output, powerShell => powerShell
            .AddScript(". $args[0]", useLocalScope: false)
            .AddArgument(block)
            .AddParameter(LoopCommands.UsingParameter, setup.Caller.Usings));
    }

    private void Run(WorkerStreams streams, PSDataCollection<PSObject> output, Func<PowerShell, PowerShell> compose)
    {
        using (PowerShell powerShell = PowerShell.Create())
        {
            powerShell.Runspace = Runspace;
            compose(powerShell);
            streams.Attach(powerShell);
            lock (gate)
            {
                if (isStopped)
                {
                    throw new PipelineStoppedException();
                }
                preparing = powerShell;
            }
            try
            {
                powerShell.Invoke<PSObject, PSObject>(null, output, null);
            }
            catch (FlowControlException)
            {
                // A question to nobody, which is noted, or exit.
            }
            finally
            {
                lock (gate)
                {
                    preparing = null;
                }
            }
        }
    }

    /// <summary>The caller's location, else its place in the file system: a drive of the caller's may not exist here.</summary>
    private void SetLocation()
    {
        PathIntrinsics path = Runspace.SessionStateProxy.Path;
        foreach (string wanted in new[] { setup.Caller.Location, setup.Caller.FileSystemLocation }.OfType<string>())
        {
            if (string.Equals(path.CurrentLocation.Path, wanted, StringComparison.Ordinal) || SetLocation(path, wanted))
            {
                return;
            }
        }
    }

    /// <summary>Not where it is gone: an earlier job may have removed it.</summary>
    private static bool SetLocation(PathIntrinsics path, string wanted)
    {
        try
        {
            path.SetLocation(WildcardPattern.Escape(wanted));
            return true;
        }
        catch (Exception error) when (error is SessionStateException or ProviderInvocationException or ArgumentException)
        {
            return false;
        }
    }

    private void SetCulture()
    {
        if (!ReferenceEquals(CultureInfo.CurrentCulture, setup.Caller.Culture))
        {
            Thread.CurrentThread.CurrentCulture = setup.Caller.Culture;
        }
        if (!ReferenceEquals(CultureInfo.CurrentUICulture, setup.Caller.UICulture))
        {
            Thread.CurrentThread.CurrentUICulture = setup.Caller.UICulture;
        }
    }
}
