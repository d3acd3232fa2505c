// A call that cannot be done as asked: ends it with its error record. Thrown on the pipeline thread before any job runs, on a
// worker's thread where a runspace cannot be made ready, and on a background job's at the error that its caller stops at.

using System;
using System.Management.Automation;

namespace RustRunspaces.Output;

internal sealed class CallRefusedException : Exception
{
    internal CallRefusedException(ErrorRecord record) : base(record.Exception.Message, record.Exception)
    {
        Record = record;
    }

    internal ErrorRecord Record { get; }
}
