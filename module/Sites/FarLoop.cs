// The one loop that drives a run on the far side: hands over what comes by the link, delivers, and lets its owner say what is new. The
// far side's pipeline thread.

using System;
using RustRunspaces.Background;

namespace RustRunspaces.Sites;

internal sealed class FarLoop
{
    private const int LongestWaitMilliseconds = 100;

    private readonly FarLink link;
    private readonly IRun run;
    private readonly Action say;

    /// <param name="link">To the near side.</param>
    /// <param name="run">What to drive.</param>
    /// <param name="say">Told after each delivery.</param>
    internal FarLoop(FarLink link, IRun run, Action say)
    {
        this.link = link;
        this.run = run;
        this.say = say;
    }

    /// <summary>Until the near side sends no more and everything is done, or the work is cancelled.</summary>
    /// <param name="wake">Makes the run's wait return. Any thread.</param>
    /// <param name="kind">Of the messages that bring something to do.</param>
    /// <param name="take">Adds what such a message has, and submits it.</param>
    /// <param name="isDone">Nothing that came is open.</param>
    /// <returns>Everything is done.</returns>
    internal bool Run(Action wake, MessageKind kind, Action<MessageReader> take, Func<bool> isDone)
    {
        link.Attach(wake, run.Cancel);
        while (!link.IsCancelled)
        {
            link.TakeAll(kind, take);
            if (link.IsInputEnded && isDone())
            {
                return true;
            }
            Step();
        }
        return false;
    }

    /// <summary>One more host or item.</summary>
    internal void Add(object? item)
    {
        run.Add(item);
        if (run.IsBatchFull)
        {
            Submit();
        }
    }

    /// <summary>What was added is on its way when this returns.</summary>
    internal void Submit()
    {
        while (!run.Submit() && !link.IsCancelled)
        {
            Step();
        }
    }

    private void Step()
    {
        run.Wait(LongestWaitMilliseconds);
        run.Deliver();
        say();
    }
}
