// One host or item on its way through a worker. The worker fills it; from the moment it is closed nothing more gets in, whatever
// the worker still does. Locked on itself, for there may be very many. Any thread.

using System.Collections.Generic;
using System.Management.Automation;

namespace RustRunspaces.Scripts.Workers;

internal sealed class ScriptJob
{
    private object? output;
    private int outputCount;
    private List<ErrorRecord>? errors;
    private bool isClosed;

    internal ScriptJob(object? item, long place)
    {
        Item = item;
        Place = place;
    }

    /// <summary>The host or item.</summary>
    internal object? Item { get; }

    /// <summary>Values of $using: that came with it, for the keys of the setup.</summary>
    internal object?[]? Late { get; set; }

    /// <summary>How many came before it.</summary>
    internal long Place { get; }

    /// <summary>Its completion has come: what its worker still writes belongs to nobody.</summary>
    internal bool IsClosed
    {
        get
        {
            lock (this)
            {
                return isClosed;
            }
        }
    }

    /// <summary>Its worker came to its end, so its errors have been written.</summary>
    internal bool HasEnded { get; set; }

    /// <summary>What ended it, if an error of its own did.</summary>
    internal ErrorRecord? Failure { get; set; }

    internal int OutputCount => outputCount;

    /// <summary>Whose <see cref="Charge"/> it is; null where there is none.</summary>
    internal RelayAccount? Account { get; private set; }

    /// <summary>Records on the worker's account until the job is concluded.</summary>
    internal int Charge { get; private set; }

    /// <summary>What was kept counts as written and not delivered, until the job's turn has come. Worker's thread, at its end.</summary>
    internal void ChargeTo(RelayAccount account)
    {
        Charge = 1 + outputCount + (errors?.Count ?? 0);
        Account = account;
        account.Charge(Charge);
    }

    /// <summary>None: $null; one object: itself; more: an array.</summary>
    internal object? Output => output is List<object?> list ? list.ToArray() : output;

    internal ErrorRecord[] Errors => errors?.ToArray() ?? System.Array.Empty<ErrorRecord>();

    /// <summary>Keeps output for the job's entry or record.</summary>
    internal void AddOutput(object? value)
    {
        lock (this)
        {
            if (isClosed)
            {
                return;
            }
            switch (outputCount++)
            {
                case 0:
                    output = value;
                    break;
                case 1:
                    output = new List<object?> { output, value };
                    break;
                default:
                    ((List<object?>)output!).Add(value);
                    break;
            }
        }
    }

    /// <summary>Keeps an error for the job's record.</summary>
    internal void AddError(ErrorRecord error)
    {
        lock (this)
        {
            if (!isClosed)
            {
                (errors ??= new List<ErrorRecord>()).Add(error);
            }
        }
    }

    internal void Close()
    {
        lock (this)
        {
            isClosed = true;
        }
    }
}
