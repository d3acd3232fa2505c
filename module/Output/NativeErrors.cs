// What a native program writes to its standard error is an error record to the engine, and no error: it ends nothing, also where
// the caller wants to stop at errors. Pipeline thread.

using System;
using System.Management.Automation;
using System.Reflection;

namespace RustRunspaces.Output;

internal static class NativeErrors
{
    // How the engine itself writes such a record: with a preference of its own. Internal in every version; one more parameter in
    // later ones.
    private static MethodInfo? EngineWrite =>
        EngineMembers.Method(EngineMembers.Type("System.Management.Automation.MshCommandRuntime"), "_WriteErrorSkipAllowCheck");

    /// <summary>Whether the record is a line of a native program's standard error.</summary>
    internal static bool IsOne(ErrorRecord record) =>
        record.FullyQualifiedErrorId is string id
        && (id.Equals("NativeCommandError", StringComparison.Ordinal) || id.Equals("NativeCommandErrorMessage", StringComparison.Ordinal));

    /// <summary>Writes the record as if the caller wanted errors to be shown.</summary>
    internal static void Write(PSCmdlet cmdlet, ErrorRecord record)
    {
        object runtime = cmdlet.CommandRuntime;
        MethodInfo? write = EngineWrite;
        // Delegates and not Invoke, which would wrap the exception that ends a pipeline.
        switch (write?.DeclaringType == runtime.GetType() ? write.GetParameters().Length : 0)
        {
            case 2:
                ((Action<ErrorRecord, ActionPreference?>)write!.CreateDelegate(typeof(Action<ErrorRecord, ActionPreference?>), runtime))(record, ActionPreference.Continue);
                break;
            case 3:
                ((Action<ErrorRecord, ActionPreference?, bool>)write!.CreateDelegate(typeof(Action<ErrorRecord, ActionPreference?, bool>), runtime))(record, ActionPreference.Continue, false);
                break;
            default:
                RelayErrorCommand.Write(cmdlet, record);
                break;
        }
    }
}
