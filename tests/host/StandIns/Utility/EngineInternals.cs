// The only reach into the engine's internals: what the real cmdlets do by friend access and no
// public API offers. Called on pipeline threads.

using System;
using System.Collections.Generic;
using System.IO;
using System.Management.Automation;
using System.Reflection;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace Microsoft.PowerShell.Commands;

internal static class EngineInternals
{
    private const BindingFlags Instance =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Assembly Engine = typeof(PSObject).Assembly;

    /// <summary>The exception by which a command ends those before it in the pipeline.</summary>
    public static Exception StopUpstream(Cmdlet cmdlet) =>
        (Exception)Create("System.Management.Automation.StopUpstreamCommandsException", cmdlet);

    /// <summary>A validation's no that lets the binder try the next parameter at this position.</summary>
    public static Exception Unfit(string message) =>
        (Exception)Create("System.Management.Automation.ValidationMetadataException", message, true);

    /// <summary>Makes a record name the command that reports the error, not Write-Error.</summary>
    public static void KeepInvocation(ErrorRecord record, InvocationInfo invocation)
    {
        typeof(ErrorRecord).GetMethod("SetInvocationInfo", Instance)!
            .Invoke(record, new object[] { invocation });
        typeof(ErrorRecord).GetProperty("PreserveInvocationInfoOnce", Instance)!.SetValue(record, true);
    }

    /// <summary>Gives a Format-* cmdlet its shape: Table, List or Wide.</summary>
    public static void SetShape(FrontEndCommandBase command, string shape)
    {
        Type shapes = Engine.GetType("Microsoft.PowerShell.Commands.Internal.Format.FormatShape", true)!;
        SetImplementation(
            command,
            Create("Microsoft.PowerShell.Commands.Internal.Format.InnerFormatShapeCommand", Enum.Parse(shapes, shape)));
    }

    /// <summary>Makes an Out-* cmdlet send formatted lines of this width to the writer.</summary>
    public static void SetOutput(FrontEndCommandBase command, TextWriter writer, int width)
    {
        object lines = Create(
            "Microsoft.PowerShell.Commands.Internal.Format.TextWriterLineOutput", writer, width);
        object inner = Create("Microsoft.PowerShell.Commands.Internal.Format.OutCommandInner");
        PropertyInfo? property = inner.GetType().GetProperty("LineOutput", Instance);
        property!.SetValue(inner, lines);
        SetImplementation(command, inner);
    }

    /// <summary>The variable of that very scope, or null.</summary>
    public static PSVariable? VariableAtScope(SessionState state, string name, string scope) =>
        (PSVariable?)OnState(state, "GetVariableAtScope", name, scope);

    /// <summary>Sets a variable in a named or numbered scope, over a read-only one, too.</summary>
    public static void SetVariableAtScope(SessionState state, PSVariable variable, string scope) =>
        OnState(state, "SetVariableAtScope", variable, scope, true, CommandOrigin.Internal);

    /// <summary>All variables in sight, or those of one scope.</summary>
    public static IEnumerable<PSVariable> Variables(SessionState state, string? scope)
    {
        object table = scope is null
            ? OnState(state, "GetVariableTable")!
            : OnState(state, "GetVariableTableAtScope", scope)!;
        return ((IDictionary<string, PSVariable>)table).Values;
    }

    private static object? OnState(SessionState state, string method, params object[] arguments)
    {
        object inner = typeof(SessionState).GetProperty("Internal", Instance)!.GetValue(state)!;
        Type[] types = Array.ConvertAll(arguments, argument => argument.GetType());
        return inner.GetType().GetMethod(method, Instance, types)!
            .Invoke(inner, BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }

    private static void SetImplementation(FrontEndCommandBase command, object implementation) =>
        typeof(FrontEndCommandBase).GetField("implementation", Instance)!
            .SetValue(command, implementation);

    private static object Create(string type, params object[] arguments) =>
        Activator.CreateInstance(
            Engine.GetType(type, throwOnError: true)!, Instance, null, arguments, null)!;
}
