// Targets on their way to the engine: their texts in one UTF-8 buffer, both reused from batch to batch.
// Knows nothing of what the texts mean. Pipeline thread.

using System;
using System.Text;

namespace RustRunspaces.Native;

/// <summary>Up to <see cref="Capacity"/> targets; those that were taken are skipped at the next submission.</summary>
internal sealed class TargetBatch
{
    internal const int Capacity = 512;

    private const int BytesPerCharacter = 3; // UTF-8: a surrogate pair makes 4 bytes of 2 characters

    /// <summary>rr_target.status, flags and jobs of those taken are the engine's answer.</summary>
    internal readonly Target[] Targets = new Target[Capacity];

    internal byte[] Text = new byte[Capacity * 16];

    internal int TextLength { get; private set; }

    internal int Count { get; private set; }

    /// <summary>How many were taken, from the first on.</summary>
    internal int Taken { get; set; }

    internal bool IsFull => Count == Capacity;

    internal void Add(int slot, string text)
    {
        int room = checked(TextLength + (text.Length * BytesPerCharacter));
        if (room > Text.Length)
        {
            Array.Resize(ref Text, Math.Max(room, Text.Length * 2));
        }
        int length = Encoding.UTF8.GetBytes(text, 0, text.Length, Text, TextLength);
        Targets[Count++] = new Target { UserData = (ulong)slot, TextOffset = (uint)TextLength, TextLength = (uint)length };
        TextLength += length;
    }

    internal void Clear()
    {
        Count = 0;
        Taken = 0;
        TextLength = 0;
    }
}
