// Writes one error record without ending anything, whatever the caller wants of errors, where the engine's own way of doing that is
// not to be had. A redirection of the caller's does not reach what it writes. Not exported, and in no session: it is called
// by its class. Pipeline thread.

using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.Output;

[Cmdlet(VerbsCommunications.Write, "RustParallelError")]
internal sealed class RelayErrorCommand : PSCmdlet
{
    private const string Call = "& $args[0] -Record $args[1] -ErrorAction Continue";

    private static readonly CmdletInfo Command = new CmdletInfo("Write-RustParallelError", typeof(RelayErrorCommand));

    public RelayErrorCommand()
    {
    }

    [Parameter(Mandatory = true)]
    public ErrorRecord Record { get; set; } = null!;

    /// <summary>Writes into the error stream of the cmdlet.</summary>
    internal static void Write(PSCmdlet cmdlet, ErrorRecord record) =>
        cmdlet.InvokeCommand.InvokeScript(Call, true, PipelineResultTypes.Output | PipelineResultTypes.Error, null, Command, record);

    protected override void EndProcessing() => new CallerStreams(this).WriteJobError(Record);
}
