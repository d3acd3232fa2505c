// A host or item that a worker is busy with, and where: what a debugger needs to know.

using System.Management.Automation.Runspaces;

namespace RustRunspaces.Background;

internal readonly struct RunningItem
{
    internal RunningItem(long place, Runspace runspace)
    {
        Place = place;
        Runspace = runspace;
    }

    /// <summary>How many hosts or items came before it.</summary>
    internal long Place { get; }

    /// <summary>The worker's.</summary>
    internal Runspace Runspace { get; }
}
