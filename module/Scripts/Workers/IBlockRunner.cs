// The one cmdlet of a worker's pipeline as its drain sees it: whichever way the engine has of running a block for each job.
// Worker's thread.

using System.Management.Automation;

namespace RustRunspaces.Scripts.Workers;

internal interface IBlockRunner
{
    SessionState SessionState { get; }

    /// <summary>The pipeline was asked to stop.</summary>
    bool Stopping { get; }

    /// <summary>
    /// Runs a block in a scope of its own, writing into the worker's pipeline. Errors that end a statement go to the error stream,
    /// and the block goes on; what it throws leaves here, after what it wrote.
    /// </summary>
    void Run(ScriptBlock block, object?[] arguments);
}
