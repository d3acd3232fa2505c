// Results of hosts in columns: one after the other all statuses, all times and so on, as differences where neighbours are alike, so
// that compression finds little left to say. Which host a row is of stands in it by numbers; the near side knows its name. Any thread.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using RustRunspaces.Results;

namespace RustRunspaces.Sites;

/// <summary>One row: which host of what was handed over, and what became of it.</summary>
internal readonly struct PackedRow
{
    internal PackedRow(int chunk, int target, long host, in HostAnswer answer, IReadOnlyList<PortResult> ports)
    {
        Chunk = chunk;
        Target = target;
        Host = host;
        Answer = answer;
        Ports = ports;
    }

    /// <summary>The chunk's number.</summary>
    internal int Chunk { get; }

    /// <summary>Which target of the chunk.</summary>
    internal int Target { get; }

    /// <summary>Which host of the target as it stood in the chunk.</summary>
    internal long Host { get; }

    /// <summary>Without a name.</summary>
    internal HostAnswer Answer { get; }

    internal IReadOnlyList<PortResult> Ports { get; }
}

internal static class PackedResults
{
    private const ushort IPv4 = 4;
    private const ushort IPv6 = 6;

    // Many times what the far side packs: rows of few bytes each that take much room here.
    private const int MostRows = 65_536;

    // Finer than any clock between machines agrees.
    private const long TicksPerMicrosecond = 10;

    private static readonly long LastMicrosecond = DateTime.MaxValue.Ticks / TicksPerMicrosecond;

    // What a probe that has ended can say: what has not is nobody's answer.
    private static readonly bool[] IsVerdict = Enumerable.Range(0, 256)
        .Select(value => Enum.IsDefined(typeof(JobStatus), value)
            && (JobStatus)value is not (JobStatus.Completed or JobStatus.Stopped or JobStatus.NotStarted or JobStatus.Lost))
        .ToArray();

    internal static byte[] Pack(IReadOnlyList<PackedRow> rows)
    {
        var message = new MessageWriter();
        bool hasStatistics = rows.Any(row => row.Answer.Summary.HasValues || row.Answer.Duplicates >= 0);
        bool hasTexts = rows.Any(row => row.Answer.Texts is not null);
        int ports = rows.Count == 0 ? 0 : rows[0].Ports.Count;
        message.Flag(hasStatistics);
        message.Flag(hasTexts);
        message.Number((ulong)ports);
        WriteDifferences(message, rows, row => row.Chunk);
        WriteDifferences(message, rows, row => row.Target);
        WriteDifferences(message, rows, row => row.Host);
        WriteAddresses(message, rows);
        foreach (PackedRow row in rows)
        {
            message.Byte((byte)row.Answer.Status);
        }
        foreach (PackedRow row in rows)
        {
            message.Number((ulong)(row.Answer.Last + 1));
        }
        // One look-up of the time zone for all of them; it is the dearest part of a local time.
        long localOffset = TimeZoneInfo.Local.GetUtcOffset(DateTime.UtcNow).Ticks;
        WriteDifferences(message, rows, row => (row.Answer.TimeFinished.Ticks - localOffset) / TicksPerMicrosecond);
        WriteDifferences(message, rows, row => row.Answer.Sent);
        WriteDifferences(message, rows, row => row.Answer.Received);
        WriteDifferences(message, rows, row => row.Answer.Ttl);
        if (hasStatistics)
        {
            foreach (PackedRow row in rows)
            {
                message.Signed(row.Answer.Duplicates);
                message.Real(row.Answer.Summary.Minimum);
                message.Real(row.Answer.Summary.Mean);
                message.Real(row.Answer.Summary.Maximum);
                message.Real(row.Answer.Summary.Deviation);
            }
        }
        foreach (PackedRow row in rows)
        {
            foreach (PortResult port in row.Ports)
            {
                message.Byte((byte)port.StatusCode);
                message.Number((ulong)(port.Nanoseconds + 1));
            }
        }
        if (hasTexts)
        {
            WriteTexts(message, rows);
        }
        return message.ToArray(MessageKind.Results, rows.Count);
    }

    /// <param name="message">Of the kind <see cref="MessageKind.Results"/>.</param>
    /// <param name="portNumbers">What was connected to, in the order in which it was asked; empty for echo.</param>
    /// <param name="observedFrom">Whose session it came from.</param>
    /// <exception cref="InvalidDataException">It is no such message.</exception>
    internal static PackedRow[] Unpack(MessageReader message, IReadOnlyList<ushort> portNumbers, string observedFrom)
    {
        int count = message.Count;
        bool hasStatistics = message.Flag();
        bool hasTexts = message.Flag();
        int ports = message.Int();
        if (count > 0 && ports != portNumbers.Count)
        {
            throw new InvalidDataException($"results have {ports} ports where {portNumbers.Count} were asked for");
        }
        if (count > MostRows)
        {
            throw new InvalidDataException($"a message has {count} results");
        }
        int[] chunks = ReadDifferences(message, count).Select(ToInt).ToArray();
        int[] targets = ReadDifferences(message, count).Select(ToInt).ToArray();
        long[] hosts = ReadDifferences(message, count);
        HostAddress[] addresses = ReadAddresses(message, count);
        var answers = new HostAnswer[count];
        for (int i = 0; i < count; i++)
        {
            answers[i].Address = addresses[i];
            answers[i].ObservedFrom = observedFrom;
            answers[i].Duplicates = -1;
            answers[i].Summary = LatencySummary.None;
            answers[i].Status = ToStatus(message.Byte());
        }
        for (int i = 0; i < count; i++)
        {
            answers[i].Last = message.Long() - 1;
        }
        long[] times = ReadDifferences(message, count);
        long[] sent = ReadDifferences(message, count);
        long[] received = ReadDifferences(message, count);
        long[] ttl = ReadDifferences(message, count);
        long localOffset = TimeZoneInfo.Local.GetUtcOffset(DateTime.UtcNow).Ticks;
        for (int i = 0; i < count; i++)
        {
            answers[i].TimeFinished = ToTime(times[i], localOffset);
            answers[i].Sent = (uint)ToInt(sent[i]);
            answers[i].Received = (uint)ToInt(received[i]);
            answers[i].Ttl = ttl[i] is >= -1 and <= 255 ? (short)ttl[i] : throw new InvalidDataException("a time to live is none");
        }
        if (hasStatistics)
        {
            for (int i = 0; i < count; i++)
            {
                answers[i].Duplicates = ToInt(message.Signed() + 1) - 1;
                answers[i].Summary = new LatencySummary(message.Real(), message.Real(), message.Real(), message.Real());
            }
        }
        var portResults = new PortResult[count][];
        for (int i = 0; i < count; i++)
        {
            portResults[i] = ports == 0 ? Array.Empty<PortResult>() : new PortResult[ports];
            for (int port = 0; port < ports; port++)
            {
                portResults[i][port] = new PortResult(portNumbers[port], ToStatus(message.Byte()), message.Long() - 1);
            }
        }
        if (hasTexts)
        {
            ReadTexts(message, answers);
        }
        message.End();
        var rows = new PackedRow[count];
        for (int i = 0; i < count; i++)
        {
            rows[i] = new PackedRow(chunks[i], targets[i], hosts[i], answers[i], portResults[i]);
        }
        return rows;
    }

    private static void WriteDifferences(MessageWriter message, IReadOnlyList<PackedRow> rows, Func<PackedRow, long> column)
    {
        long last = 0;
        foreach (PackedRow row in rows)
        {
            long value = column(row);
            message.Signed(value - last);
            last = value;
        }
    }

    private static long[] ReadDifferences(MessageReader message, int count)
    {
        var values = new List<long>();
        long last = 0;
        for (int i = 0; i < count; i++)
        {
            values.Add(last += message.Signed());
        }
        return values.ToArray();
    }

    private static void WriteAddresses(MessageWriter message, IReadOnlyList<PackedRow> rows)
    {
        foreach (PackedRow row in rows)
        {
            message.Byte((byte)row.Answer.Address.Family);
        }
        long last = 0;
        foreach (PackedRow row in rows)
        {
            HostAddress address = row.Answer.Address;
            switch (address.Family)
            {
                case IPv4:
                    // As a number, so that neighbours differ by one.
                    long number = Swap((uint)address.First);
                    message.Signed(number - last);
                    last = number;
                    break;
                case IPv6:
                    message.Fixed(address.First);
                    message.Fixed(address.Second);
                    message.Number(address.Scope);
                    break;
            }
        }
    }

    private static HostAddress[] ReadAddresses(MessageReader message, int count)
    {
        var families = new List<byte>();
        for (int i = 0; i < count; i++)
        {
            families.Add(message.Byte());
        }
        var addresses = new HostAddress[count];
        long last = 0;
        for (int i = 0; i < count; i++)
        {
            switch (families[i])
            {
                case 0:
                    break;
                case (byte)IPv4:
                    last += message.Signed();
                    if (last is < 0 or > uint.MaxValue)
                    {
                        throw new InvalidDataException("an address in a message is none");
                    }
                    addresses[i] = new HostAddress(Swap((uint)last), 0, 0, IPv4);
                    break;
                case (byte)IPv6:
                    addresses[i] = new HostAddress(message.Fixed(), message.Fixed(), (uint)message.Long(uint.MaxValue), IPv6);
                    break;
                default:
                    throw new InvalidDataException("an address in a message is of no known family");
            }
        }
        return addresses;
    }

    /// <summary>Few rows have texts, and many of these the same: each of them stands there once.</summary>
    private static void WriteTexts(MessageWriter message, IReadOnlyList<PackedRow> rows)
    {
        var numbers = new Dictionary<HostTexts, int>();
        var distinct = new List<HostTexts>();
        foreach (PackedRow row in rows)
        {
            HostTexts? texts = row.Answer.Texts;
            if (texts is null)
            {
                message.Number(0);
                continue;
            }
            if (!numbers.TryGetValue(texts, out int number))
            {
                distinct.Add(texts);
                number = distinct.Count;
                numbers.Add(texts, number);
            }
            message.Number((ulong)number);
        }
        message.Number((ulong)distinct.Count);
        foreach (HostTexts texts in distinct)
        {
            message.Text(texts.HostName);
            message.Text(texts.Addresses is null ? null : string.Join(" ", texts.Addresses));
            message.Text(texts.Detail);
            message.Text(texts.AnsweredFrom);
        }
    }

    private static void ReadTexts(MessageReader message, HostAnswer[] answers)
    {
        int[] numbers = answers.Select(_ => message.Int()).ToArray();
        var distinct = new List<HostTexts>();
        for (int left = message.Int(answers.Length); left > 0; left--)
        {
            string? hostName = message.Text();
            string? addresses = message.Text();
            distinct.Add(new HostTexts(hostName, addresses is null ? null : new JoinedList<string>(addresses.Split(' ')), message.Text(), message.Text()));
        }
        for (int i = 0; i < answers.Length; i++)
        {
            if (numbers[i] > distinct.Count)
            {
                throw new InvalidDataException("a result refers to a text that is not there");
            }
            answers[i].Texts = numbers[i] == 0 ? null : distinct[numbers[i] - 1];
        }
    }

    private static uint Swap(uint value) =>
        (value << 24) | ((value & 0xff00) << 8) | ((value >> 8) & 0xff00) | (value >> 24);

    private static int ToInt(long value) =>
        value is >= 0 and <= int.MaxValue ? (int)value : throw new InvalidDataException("a number in a message is out of range");

    private static JobStatus ToStatus(byte value) =>
        IsVerdict[value] ? (JobStatus)value : throw new InvalidDataException($"a result has the status {value}, which is no verdict");

    private static DateTime ToTime(long microseconds, long localOffset)
    {
        long ticks = microseconds < 0 || microseconds > LastMicrosecond ? -1 : (microseconds * TicksPerMicrosecond) + localOffset;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks
            ? throw new InvalidDataException("a time in a message is none")
            : new DateTime(ticks, DateTimeKind.Local);
    }
}
