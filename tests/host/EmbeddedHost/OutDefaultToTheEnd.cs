// Out-Default that shows what it still holds (it collects the first rows of a table to measure
// them) also when `exit` or an error ends the script. Pipeline thread.

using System;
using System.Management.Automation;
using Microsoft.PowerShell.Commands;

namespace RustRunspaces.EmbeddedHost;

[Cmdlet(VerbsData.Out, "Default")]
public sealed class OutDefaultToTheEnd : OutDefaultCommand
{
    private bool _open;

    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _open = true;
    }

    protected override void EndProcessing()
    {
        _open = false;
        base.EndProcessing();
    }

    protected override void StopProcessing()
    {
        _open = false;
        base.StopProcessing();
    }

    protected override void InternalDispose()
    {
        // The engine disposes of the commands of a pipeline however it ends.
        if (_open)
        {
            EndProcessing();
        }
        base.InternalDispose();
    }
}
