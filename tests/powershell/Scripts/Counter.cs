// How many jobs are inside a place at a time. A .NET object, so that jobs can share it by $using:.

using System.Threading;

namespace RustRunspaces.PowerShellTests.Scripts;

public sealed class Counter
{
    private readonly Lock gate = new();
    private int inside;

    /// <summary>The most that were inside at a time.</summary>
    public int Most { get; private set; }

    /// <summary>How many came in altogether.</summary>
    public int Entered { get; private set; }

    public void Enter()
    {
        lock (gate)
        {
            Entered++;
            inside++;
            Most = inside > Most ? inside : Most;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            inside--;
        }
    }
}
