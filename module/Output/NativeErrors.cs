// What a native program writes to its standard error is an error record to the engine, and no error: it ends nothing.

using System;
using System.Management.Automation;

namespace RustRunspaces.Output;

internal static class NativeErrors
{
    /// <summary>Whether the record is a line of a native program's standard error.</summary>
    internal static bool IsOne(ErrorRecord record) =>
        record.FullyQualifiedErrorId is string id
        && (id.Equals("NativeCommandError", StringComparison.Ordinal) || id.Equals("NativeCommandErrorMessage", StringComparison.Ordinal));
}
