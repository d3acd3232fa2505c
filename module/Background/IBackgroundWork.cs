// A call that runs as a background job: what the job needs to know of it, whichever form of the command made it.

using System.Collections.Generic;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

/// <summary>Made and run on the job's thread by Run; the rest may be called from any thread.</summary>
internal interface IBackgroundWork
{
    /// <summary>Hosts or items of the call.</summary>
    long Known { get; }

    /// <summary>Those of them that are done.</summary>
    long Finished { get; }

    /// <summary>Those whose jobs are not done; after the end those that will never be.</summary>
    IReadOnlyList<object?> Unfinished { get; }

    /// <summary>Does everything and returns when it is done or was cancelled.</summary>
    /// <exception cref="CallRefusedException">The call cannot be done.</exception>
    void Run(IScriptSink sink);

    /// <summary>Ends the work soon; does not block. May come before Run.</summary>
    void Cancel();
}
