// One message between this computer and a session's far side, as it travels: version, kind, count, then columns of numbers and
// texts, compressed. Byte arrays are what remoting carries without taking them apart. Any thread.

using System;
using System.IO;
using System.IO.Compression;
using System.Text;

namespace RustRunspaces.Sites;

/// <summary>What a message is about. Numbers are never used again for something else.</summary>
internal enum MessageKind : byte
{
    /// <summary>From the far side, first: who it is.</summary>
    Hello = 1,

    /// <summary>Results of hosts.</summary>
    Results = 2,

    /// <summary>A sign of life, with how many hosts have been begun so far.</summary>
    Progress = 3,

    /// <summary>A target that the far side does not take.</summary>
    Refused = 4,

    /// <summary>The far side cannot do what it was asked; its last message.</summary>
    Failure = 5,

    /// <summary>What script jobs wrote and how they ended.</summary>
    Records = 6,

    /// <summary>Entries of $Data that came with no host's end, and whether these were the last.</summary>
    Data = 7,

    /// <summary>To the far side: targets.</summary>
    Chunk = 64,

    /// <summary>A sign of life.</summary>
    Alive = 65,

    /// <summary>Hosts or items of script jobs.</summary>
    Jobs = 66,

    /// <summary>What hosts are probed for, and how.</summary>
    ProbeWork = 67,

    /// <summary>What script jobs run.</summary>
    ScriptWork = 68,
}

/// <summary>Writes one message.</summary>
internal sealed class MessageWriter
{
    /// <summary>Of everything that travels between the two sides: whoever changes that adds one.</summary>
    internal const byte ProtocolVersion = 1;

    internal const int HeaderSize = 6;

    // One fragment of remoting's; what is in it may be as large as it likes, but no more is added.
    private const int Large = 32 * 1024;

    private readonly MemoryStream payload = new MemoryStream();

    /// <summary>Time to send it and begin another.</summary>
    internal bool IsLarge => payload.Length >= Large;

    /// <summary>An unsigned number, small ones in one byte.</summary>
    internal void Number(ulong value)
    {
        while (value >= 0x80)
        {
            payload.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }
        payload.WriteByte((byte)value);
    }

    /// <summary>A signed number, those near zero in one byte.</summary>
    internal void Signed(long value) => Number((ulong)((value << 1) ^ (value >> 63)));

    internal void Real(double value) => Fixed((ulong)BitConverter.DoubleToInt64Bits(value));

    internal void Fixed(ulong value)
    {
        for (int shift = 0; shift < 64; shift += 8)
        {
            payload.WriteByte((byte)(value >> shift));
        }
    }

    internal void Byte(byte value) => payload.WriteByte(value);

    internal void Flag(bool value) => payload.WriteByte(value ? (byte)1 : (byte)0);

    /// <summary>A text, or none.</summary>
    internal void Text(string? value)
    {
        if (value is null)
        {
            Number(0);
            return;
        }
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        Number((ulong)bytes.Length + 1);
        payload.Write(bytes, 0, bytes.Length);
    }

    /// <summary>The whole message.</summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="count">How many things of that kind are in it.</param>
    internal byte[] ToArray(MessageKind kind, int count)
    {
        var message = new MemoryStream();
        message.WriteByte(ProtocolVersion);
        message.WriteByte((byte)kind);
        for (int shift = 0; shift < 32; shift += 8)
        {
            message.WriteByte((byte)(count >> shift));
        }
        using (var compressed = new DeflateStream(message, CompressionLevel.Fastest, leaveOpen: true))
        {
            payload.WriteTo(compressed);
        }
        return message.ToArray();
    }
}

/// <summary>Reads one message. Whatever does not fit is an <see cref="InvalidDataException"/>.</summary>
internal sealed class MessageReader
{
    // A message has at most a few thousand things; what unpacks to more is none of ours.
    private const int LargestPayload = 1 << 28;

    private readonly byte[] payload;
    private int position;

    internal MessageReader(byte[] message)
    {
        if (message.Length < MessageWriter.HeaderSize)
        {
            throw new InvalidDataException("a message is shorter than its head");
        }
        if (message[0] != MessageWriter.ProtocolVersion)
        {
            throw new InvalidDataException($"a message has version {message[0]} of the protocol, not {MessageWriter.ProtocolVersion}");
        }
        Kind = (MessageKind)message[1];
        Count = message[2] | (message[3] << 8) | (message[4] << 16) | (message[5] << 24);
        if (Count < 0)
        {
            throw new InvalidDataException("a message has a negative count");
        }
        payload = Unpack(message);
    }

    internal MessageKind Kind { get; }

    internal int Count { get; }

    internal ulong Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte next = Byte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException("a number in a message has no end");
    }

    internal int Int(int largest = int.MaxValue) => (int)Long(largest);

    internal long Long(long largest = long.MaxValue)
    {
        ulong value = Number();
        return value <= (ulong)largest ? (long)value : throw new InvalidDataException("a number in a message is too large");
    }

    internal long Signed()
    {
        ulong value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    internal double Real() => BitConverter.Int64BitsToDouble((long)Fixed());

    internal ulong Fixed()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 8)
        {
            value |= (ulong)Byte() << shift;
        }
        return value;
    }

    internal byte Byte() => position < payload.Length
        ? payload[position++]
        : throw new InvalidDataException("a message ends early");

    internal bool Flag() => Byte() switch
    {
        0 => false,
        1 => true,
        _ => throw new InvalidDataException("a flag in a message is neither on nor off"),
    };

    internal string? Text()
    {
        int length = Int() - 1;
        if (length < 0)
        {
            return null;
        }
        if (length > payload.Length - position)
        {
            throw new InvalidDataException("a text in a message is longer than the message");
        }
        string text = Encoding.UTF8.GetString(payload, position, length);
        position += length;
        return text;
    }

    /// <summary>Everything must have been read.</summary>
    internal void End()
    {
        if (position != payload.Length)
        {
            throw new InvalidDataException("a message has more in it than its count says");
        }
    }

    private static byte[] Unpack(byte[] message)
    {
        var unpacked = new MemoryStream();
        var buffer = new byte[16 * 1024];
        using var compressed = new DeflateStream(
            new MemoryStream(message, MessageWriter.HeaderSize, message.Length - MessageWriter.HeaderSize), CompressionMode.Decompress);
        for (int read = compressed.Read(buffer, 0, buffer.Length); read > 0; read = compressed.Read(buffer, 0, buffer.Length))
        {
            unpacked.Write(buffer, 0, read);
            if (unpacked.Length > LargestPayload)
            {
                throw new InvalidDataException("a message unpacks to more than any message has");
            }
        }
        return unpacked.ToArray();
    }
}
