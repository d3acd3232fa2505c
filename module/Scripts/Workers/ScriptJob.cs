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

    internal int OutputCount => outputCount;

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
