// The one cmdlet of a worker's pipeline: it runs job after job, so that a pipeline's cost is paid once per worker. It is
// Invoke-Command's own way of calling a block in this process, which has no cost but the block's. Not exported, and in no session:
// a worker adds it to its pipeline by its class. Worker's thread.

using System.Management.Automation;
using Microsoft.PowerShell.Commands;

namespace RustRunspaces.Scripts.Workers;

[Cmdlet(VerbsLifecycle.Invoke, "RustParallelWorker", DefaultParameterSetName = "InProcess")]
internal sealed class WorkerLoopCommand : InvokeCommandCommand, IBlockRunner
{
    public WorkerLoopCommand()
    {
    }

    [Parameter(Mandatory = true)]
    public WorkerDrain Drain { get; set; } = null!;

    public void Run(ScriptBlock block, object?[] arguments)
    {
        ScriptBlock = block;
        ArgumentList = arguments;
        base.EndProcessing();
    }

    protected override void BeginProcessing()
    {
    }

    protected override void ProcessRecord()
    {
    }

    protected override void EndProcessing() => Drain.RunJobs(this);

    protected override void StopProcessing() => Drain.StopSeen();
}
