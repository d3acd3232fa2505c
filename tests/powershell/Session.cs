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
        : this(ModuleUnderTest.Manifest)
    {
    }

    /// <param name="manifest">The module to import; null for none.</param>
    public Session(string? manifest)
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }
        if (manifest is not null)
        {
            state.ImportPSModule(manifest);
        }
        state.ThrowOnRunspaceOpenError = true;
        Runspace = RunspaceFactory.CreateRunspace(state);
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

    /// <summary>Runs the script to the terminating error that it must end with.</summary>
    public ErrorRecord RunToFailure(string script, params (string Name, object? Value)[] variables)
    {
        // Inside try, a terminating error does not become a mere record; other errors do not get to catch.
        Call call = RunWithErrors($"try {{ {script} }} catch {{ throw }}", variables);
        return call.Failure is IContainsErrorRecord failure
            ? failure.ErrorRecord
            : throw new InvalidOperationException($"'{script}' did not fail");
    }

    public void Dispose() => Runspace.Dispose();
}
