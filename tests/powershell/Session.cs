// One runspace that has imported the module, as a person's console has. A test makes its own, so
// that none sees what another left.

using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell;

namespace RustRunspaces.PowerShellTests;

internal sealed class Session : IDisposable
{
    public Session()
    {
        Runspace = RunspaceFactory.CreateRunspace(NewState());
        Runspace.Open();
    }

    public Runspace Runspace { get; }

    /// <summary>Starts the script; variables are set in the runspace first.</summary>
    public Call Start(string script, params (string Name, object? Value)[] variables)
    {
        foreach ((string name, object? value) in variables)
        {
            Runspace.SessionStateProxy.SetVariable(name, value);
        }
        return new Call(Runspace, script);
    }

    /// <summary>Runs the script to its end, with errors left to the test.</summary>
    public Call RunWithErrors(string script, params (string Name, object? Value)[] variables) =>
        Start(script, variables).Wait();

    /// <summary>Runs the script to its end; any error fails the test.</summary>
    public Call Run(string script, params (string Name, object? Value)[] variables)
    {
        Call call = RunWithErrors(script, variables);
        if (call.Failure is not null)
        {
            throw new InvalidOperationException($"'{script}' ended with: {call.Failure.Message}", call.Failure);
        }
        foreach (ErrorRecord error in call.Errors)
        {
            throw new InvalidOperationException($"'{script}' wrote the error {error.FullyQualifiedErrorId}: {error}", error.Exception);
        }
        return call;
    }

    /// <summary>What a runspace has at its start: the module, and Windows' leave to read its views.</summary>
    public static InitialSessionState NewState()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }
        state.ImportPSModule(ModuleUnderTest.Manifest);
        state.ThrowOnRunspaceOpenError = true;
        return state;
    }

    public void Dispose() => Runspace.Dispose();
}
