// A block or range that goes to the engine in parts, one after the other, so that what waits for its first host stays bounded. To
// the caller it is one target. The thread that advances the run.

using System;
using RustRunspaces.Native;

namespace RustRunspaces.Probes;

internal sealed class DividedTarget
{
    // Hosts of a part.
    private const long PartSize = 16_384;

    private readonly int family;

    /// <param name="text">As it was given.</param>
    /// <param name="family">4, 6, or 0 for either.</param>
    /// <param name="hosts">How many it stands for.</param>
    private DividedTarget(string text, int family, long hosts)
    {
        Text = text;
        this.family = family;
        Hosts = hosts;
    }

    internal string Text { get; }

    internal long Hosts { get; }

    /// <summary>Hosts that are in no part yet.</summary>
    internal long Left => Hosts - Next;

    /// <summary>The first of them.</summary>
    internal long Next { get; private set; }

    /// <summary>Parts with unanswered jobs.</summary>
    internal int OpenParts { get; set; }

    internal long HostsNotStarted { get; set; }

    internal long HostsStopped { get; set; }

    /// <summary>Null for what is small enough, and for what the engine will refuse.</summary>
    internal static DividedTarget? For(string text, int family)
    {
        TargetText target = TargetText.Read(text, family);
        return target.Status == NativeStatus.Ok && target.IsExpanded && target.Addresses > PartSize ? new DividedTarget(text, family, target.Addresses) : null;
    }

    /// <summary>The next part, as a range.</summary>
    internal string TakePart()
    {
        long first = Next;
        Next += Math.Min(PartSize, Left);
        OpenParts++;
        return TargetText.Part(Text, family, first, Next - first);
    }

    /// <summary>No more parts will be taken.</summary>
    internal void Abandon()
    {
        HostsNotStarted += Left;
        Next = Hosts;
    }
}
