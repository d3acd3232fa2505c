// The one command of a worker's pipeline: it runs job after job, so that a pipeline's cost is paid once per worker. Not exported,
// and in no session: a worker adds it to its pipeline by its class. Worker's thread.

using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.Scripts.Workers;

[Cmdlet(VerbsLifecycle.Invoke, "RustParallelWorker")]
internal sealed class WorkerLoopCommand : PSCmdlet
{
    public WorkerLoopCommand()
    {
    }

    [Parameter(Mandatory = true)]
    public WorkerDrain Drain { get; set; } = null!;

    protected override void EndProcessing() => Drain.RunJobs(this);

    /// <summary>Runs a text in a scope of its own. Errors that end a statement go to the error stream, and the text goes on.</summary>
    internal void Run(string text, object?[] arguments) =>
        InvokeCommand.InvokeScript(text, true, PipelineResultTypes.Output | PipelineResultTypes.Error, null, arguments);
}
