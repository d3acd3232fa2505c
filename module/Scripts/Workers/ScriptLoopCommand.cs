// The cmdlet of a worker's pipeline where the engine's Invoke-Command is not what WorkerLoopCommand needs: a small script calls the
// block, which costs a few times as much. Worker's thread.

using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.Scripts.Workers;

[Cmdlet(VerbsLifecycle.Invoke, "RustParallelWorker")]
internal sealed class ScriptLoopCommand : PSCmdlet, IBlockRunner
{
    // One splatted variable, which the block sees as it sees its caller's: with a name that says whose it is.
    private const string Text = "$RustParallelArguments = $args[1]; & $args[0] @RustParallelArguments";

    public ScriptLoopCommand()
    {
    }

    [Parameter(Mandatory = true)]
    public WorkerDrain Drain { get; set; } = null!;

    [Parameter]
    public ScriptBlock? ScriptBlock { get; set; }

    public void Run(ScriptBlock block, object?[] arguments) =>
        InvokeCommand.InvokeScript(Text, true, PipelineResultTypes.Output | PipelineResultTypes.Error, null, block, arguments);

    protected override void StopProcessing() => Drain.StopSeen();

    protected override void EndProcessing() => Drain.RunJobs(this);
}
