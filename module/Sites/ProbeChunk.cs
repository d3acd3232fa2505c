// What travels of a sweep: parts of targets, handed to one site as a chunk, and which of their hosts it has answered. Knows no
// link. The thread that advances the run.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Net;
using RustRunspaces.Native;
using RustRunspaces.Results;

namespace RustRunspaces.Sites;

/// <summary>A target of a shared sweep, with hosts that have no answer yet.</summary>
internal sealed class SharedTarget
{
    // Of its first host, where its hosts are named by address.
    private readonly ulong high;
    private readonly ulong low;

    internal SharedTarget(long place, string text, TargetText meaning, IPAddress? first)
    {
        foreach (byte next in first?.GetAddressBytes() ?? Array.Empty<byte>())
        {
            high = (high << 8) | (low >> 56);
            low = (low << 8) | next;
        }
        Place = place;
        Text = text;
        IsExpanded = meaning.IsExpanded;
        Hosts = meaning.Addresses;
        Unanswered = meaning.Addresses;
    }

    /// <summary>How many targets came before it.</summary>
    internal long Place { get; }

    /// <summary>As it was given.</summary>
    internal string Text { get; }

    /// <summary>Its hosts are named by address.</summary>
    internal bool IsExpanded { get; }

    internal long Hosts { get; }

    internal long Unanswered { get; set; }

    /// <summary>Whether a host of a block or range has this address.</summary>
    internal bool HasAddress(long host, in HostAddress address)
    {
        ulong number = low + (ulong)host;
        return address.Family == 4
            ? (uint)IPAddress.NetworkToHostOrder((int)address.First) == number
            : (ulong)IPAddress.NetworkToHostOrder((long)address.First) == (number < low ? high + 1 : high)
                && (ulong)IPAddress.NetworkToHostOrder((long)address.Second) == number;
    }
}

/// <summary>Consecutive hosts of one target.</summary>
internal readonly struct ChunkPart
{
    internal ChunkPart(SharedTarget target, long first, long count)
    {
        Target = target;
        First = first;
        Count = count;
    }

    internal SharedTarget Target { get; }

    internal long First { get; }

    internal long Count { get; }
}

/// <summary>Parts that wait for a site; what comes back goes to the front.</summary>
internal sealed class PartQueue
{
    // A chunk of names alone is no longer than that, whatever the rate.
    private const int MostParts = 4096;

    private readonly LinkedList<ChunkPart> parts = new LinkedList<ChunkPart>();

    internal long Hosts { get; private set; }

    internal int Count => parts.Count;

    internal void Add(in ChunkPart part)
    {
        parts.AddLast(part);
        Hosts += part.Count;
    }

    internal void PutBack(in ChunkPart part)
    {
        parts.AddFirst(part);
        Hosts += part.Count;
    }

    internal void Clear()
    {
        parts.Clear();
        Hosts = 0;
    }

    /// <summary>Parts from the front that have so many hosts together, or all there are.</summary>
    internal List<ChunkPart> Take(long hosts)
    {
        var taken = new List<ChunkPart>();
        while (hosts > 0 && parts.First is LinkedListNode<ChunkPart> node && taken.Count < MostParts)
        {
            parts.RemoveFirst();
            ChunkPart part = node.Value;
            if (part.Count > hosts)
            {
                parts.AddFirst(new ChunkPart(part.Target, part.First + hosts, part.Count - hosts));
                part = new ChunkPart(part.Target, part.First, hosts);
            }
            taken.Add(part);
            hosts -= part.Count;
            Hosts -= part.Count;
        }
        return taken;
    }
}

/// <summary>What one site was given at a time.</summary>
internal sealed class ProbeChunk
{
    private readonly List<ChunkPart> parts;
    private readonly BitArray?[] answered;

    internal ProbeChunk(int number, List<ChunkPart> parts)
    {
        Number = number;
        this.parts = parts;
        answered = new BitArray[parts.Count];
        foreach (ChunkPart part in parts)
        {
            Hosts += part.Count;
        }
        Unanswered = Hosts;
    }

    internal int Number { get; }

    internal long Hosts { get; }

    internal long Unanswered { get; private set; }

    internal int Count => parts.Count;

    /// <summary>A part that is a whole target travels as it was given.</summary>
    internal byte[] ToMessage(int addressFamily)
    {
        var message = new MessageWriter();
        message.Number((ulong)Number);
        message.Number((ulong)Hosts);
        foreach (ChunkPart part in parts)
        {
            SharedTarget target = part.Target;
            message.Text(part.Count == target.Hosts ? target.Text : TargetText.Part(target.Text, addressFamily, part.First, part.Count));
        }
        return message.ToArray(MessageKind.Chunk, parts.Count);
    }

    /// <summary>Where the host is that a number speaks of; one that was not asked for is an <see cref="InvalidDataException"/>.</summary>
    internal ChunkPart PartOf(int part, long host) => part < parts.Count && host >= 0 && host < parts[part].Count
        ? parts[part]
        : throw new InvalidDataException("an answer for a host that was not asked for");

    /// <summary>Notes an answer; a second one is an <see cref="InvalidDataException"/>.</summary>
    internal void Answer(int part, long host)
    {
        BitArray hosts = answered[part] ??= new BitArray((int)parts[part].Count);
        if (hosts[(int)host])
        {
            throw new InvalidDataException("a second answer for the same host");
        }
        hosts[(int)host] = true;
        Unanswered--;
    }

    /// <summary>No host of the part will be answered.</summary>
    /// <returns>Those that were not.</returns>
    internal List<ChunkPart> Withdraw(int part)
    {
        if (part >= parts.Count)
        {
            throw new InvalidDataException("a refusal of a target that was not sent");
        }
        var left = new List<ChunkPart>();
        ChunkPart whole = parts[part];
        BitArray? hosts = answered[part];
        long begin = -1;
        for (long host = 0; host <= whole.Count; host++)
        {
            bool isOpen = host < whole.Count && (hosts is null || !hosts[(int)host]);
            if (isOpen && begin < 0)
            {
                begin = host;
            }
            else if (!isOpen && begin >= 0)
            {
                left.Add(new ChunkPart(whole.Target, whole.First + begin, host - begin));
                Unanswered -= host - begin;
                begin = -1;
            }
            if (isOpen)
            {
                (hosts ??= answered[part] ??= new BitArray((int)whole.Count))[(int)host] = true;
            }
        }
        return left;
    }
}
