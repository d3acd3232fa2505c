// How the hosts or items of a background job ended: a byte for each, and what ended those that failed. Guarded by its owner.

using System;
using System.Collections.Generic;
using System.Management.Automation;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal sealed class ItemStates
{
    private const byte Open = 0;

    private readonly List<byte> outcomes = new List<byte>();
    private readonly Dictionary<long, Exception?> errors = new Dictionary<long, Exception?>();
    private object? firstFailed;
    private Exception? firstError;
    private long firstPlace = long.MaxValue;
    private long ended;

    internal void Add(long place, ItemOutcome outcome, ErrorRecord? error, object? item)
    {
        while (outcomes.Count <= place)
        {
            outcomes.Add(Open);
        }
        outcomes[(int)place] = (byte)(1 + (int)outcome);
        ended++;
        if (outcome != ItemOutcome.Failed)
        {
            return;
        }
        errors[place] = error?.Exception;
        if (place < firstPlace)
        {
            firstPlace = place;
            firstFailed = item;
            firstError = error?.Exception;
        }
    }

    internal bool TryGet(long place, out ItemOutcome outcome)
    {
        byte state = place < outcomes.Count ? outcomes[(int)place] : Open;
        outcome = (ItemOutcome)(state - 1);
        return state != Open;
    }

    internal Exception? ErrorOf(long place) => errors.TryGetValue(place, out Exception? error) ? error : null;

    /// <summary>How many failed, and the first of them in the order of the input; null where none did.</summary>
    internal Exception? Failure()
    {
        if (errors.Count == 0)
        {
            return null;
        }
        string reason = firstError is null ? "" : $": {firstError.Message}";
        return new RuntimeException($"{errors.Count} of {ended} were ended by an error; the first is '{firstFailed ?? "$null"}'{reason}", firstError);
    }
}
