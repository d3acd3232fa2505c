// The caller's streams as jobs and the call itself write to them: what the cmdlet's own methods do, without two things that they
// add. They give every error the call's id and position, and with -Debug they ask before each record. Pipeline thread.

using System;
using System.Management.Automation;
using System.Reflection;

namespace RustRunspaces.Output;

internal sealed class CallerStreams : ISink
{
    private readonly PSCmdlet cmdlet;
    private readonly bool isDebug;

    internal CallerStreams(PSCmdlet cmdlet)
    {
        this.cmdlet = cmdlet;
        isDebug = cmdlet.MyInvocation.BoundParameters.TryGetValue("Debug", out object given) && given is SwitchParameter { IsPresent: true };
    }

    /// <summary>Nothing: the caller's streams are one.</summary>
    public void Attribute(long place)
    {
    }

    /// <summary>Nothing: the caller sees what was written.</summary>
    public void EndItem(long place, ItemOutcome outcome, ErrorRecord? error)
    {
    }

    public void WriteObject(object? value) => cmdlet.WriteObject(value);

    public void WriteError(ErrorRecord error) => cmdlet.WriteError(error);

    /// <summary>An error of a job's own: id and position stay what they are in the job.</summary>
    public void WriteJobError(ErrorRecord error)
    {
        if (NativeErrors.IsOne(error) && Preference(cmdlet, "ErrorAction", "ErrorActionPreference") == ActionPreference.Stop)
        {
            NativeErrors.Write(cmdlet, error);
            return;
        }
        // One without a position was not written by a command or statement: the call's is better than none.
        if (error.InvocationInfo is null || !TryWrite("Error", error, Asks("ErrorAction")))
        {
            cmdlet.WriteError(error);
        }
    }

    public void WriteWarning(string message)
    {
        if (!Asks("WarningAction") || !TryWrite("Warning", message, isUnasked: true))
        {
            cmdlet.WriteWarning(message);
        }
    }

    public void WriteVerbose(string message)
    {
        if (!Asks("Verbose") || !TryWrite("Verbose", message, isUnasked: true))
        {
            cmdlet.WriteVerbose(message);
        }
    }

    public void WriteDebug(string message)
    {
        if (!isDebug || !TryWrite("Debug", message, isUnasked: true))
        {
            cmdlet.WriteDebug(message);
        }
    }

    /// <summary>A line about the call itself: -Debug alone asks for none.</summary>
    public void WriteLine(string message)
    {
        if (!Asks("Verbose") || !IsSilent(Preference(cmdlet, "Verbose", "VerbosePreference")))
        {
            WriteVerbose(message);
        }
    }

    public void WriteInformation(InformationRecord record) => cmdlet.WriteInformation(record);

    public void WriteProgress(ProgressRecord record) => cmdlet.WriteProgress(record);

    /// <summary>What the caller chose for a stream: by a parameter of the call, else by a variable.</summary>
    internal static ActionPreference Preference(PSCmdlet cmdlet, string parameter, string variable)
    {
        if (!cmdlet.MyInvocation.BoundParameters.TryGetValue(parameter, out object chosen))
        {
            chosen = cmdlet.GetVariableValue(variable);
        }
        return LanguagePrimitives.TryConvertTo(chosen, out ActionPreference preference) ? preference : ActionPreference.Continue;
    }

    internal static bool IsSilent(ActionPreference preference) =>
        preference is ActionPreference.SilentlyContinue or ActionPreference.Ignore;

    /// <summary>-Debug makes the engine ask, and nobody said what else to do with the stream.</summary>
    private bool Asks(string parameter) => isDebug && !cmdlet.MyInvocation.BoundParameters.ContainsKey(parameter);

    private bool TryWrite(string kind, object record, bool isUnasked)
    {
        if (StreamObject.Make is not ConstructorInfo make || StreamObject.Write is not MethodInfo write)
        {
            return false;
        }
        object written = make.Invoke(new[] { Enum.Parse(StreamObject.Kind!, kind), record });
        // A delegate and not Invoke, which would wrap the exception that ends a pipeline.
        ((Action<Cmdlet, bool>)write.CreateDelegate(typeof(Action<Cmdlet, bool>), written))(cmdlet, isUnasked);
        return true;
    }

    /// <summary>
    /// What Receive-Job and ForEach-Object -Parallel write with. Public in every engine, but not in the reference assembly; without
    /// it the cmdlet's methods do.
    /// </summary>
    private static class StreamObject
    {
        private const string Namespace = "System.Management.Automation.Remoting.Internal.";

        internal static Type? Class => EngineMembers.Type(Namespace + "PSStreamObject");
        internal static Type? Kind => EngineMembers.Type(Namespace + "PSStreamObjectType");
        internal static ConstructorInfo? Make => Kind is null ? null : Class?.GetConstructor(new[] { Kind, typeof(object) });
        internal static MethodInfo? Write => EngineMembers.Method(Class, "WriteStreamObject", typeof(Cmdlet), typeof(bool));
    }
}
