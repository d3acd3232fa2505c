// Stops a pipeline without waiting for it. PowerShell.BeginStop does that on a foreground thread, which would keep the process
// from ending while a job sits in native code; so this is Stop on a background thread.

using System;
using System.Management.Automation;
using System.Threading;

namespace RustRunspaces.Scripts.Workers;

internal static class PipelineStop
{
    internal static void Begin(PowerShell pipeline) =>
        new Thread(Run) { IsBackground = true, Name = "Stop of a job" }.Start(pipeline);

    private static void Run(object pipeline)
    {
        try
        {
            ((PowerShell)pipeline).Stop();
        }
        catch (Exception)
        {
            // Stop fails in many ways where a pipeline ends by itself meanwhile; what leaves a thread ends the process.
        }
    }
}
