// Completions coming from the engine, with their texts: memory outside the managed heap, reused from call to call.
// Pipeline thread.

using System;
using System.Runtime.InteropServices;
using System.Text;

namespace RustRunspaces.Native;

/// <summary>Up to <see cref="Capacity"/> completions; valid until the next collection.</summary>
internal sealed unsafe class CompletionBuffer : IDisposable
{
    internal const int Capacity = 2048;

    private const int FirstTextCapacity = 64 * 1024;

    private IntPtr completions = Marshal.AllocHGlobal(Capacity * sizeof(Completion));
    private IntPtr text = Marshal.AllocHGlobal(FirstTextCapacity);

    ~CompletionBuffer() => Free();

    internal int Count { get; set; }

    internal int TextCapacity { get; private set; } = FirstTextCapacity;

    internal Completion* Completions => (Completion*)completions;

    internal byte* Text => (byte*)text;

    internal ref readonly Completion this[int index] => ref Completions[index];

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>A completion's text; null where it has none.</summary>
    internal string? Read(uint offset, uint length) =>
        length == 0 ? null : Encoding.UTF8.GetString(Text + offset, (int)length);

    internal void GrowText(int capacity)
    {
        text = Marshal.ReAllocHGlobal(text, (IntPtr)capacity);
        TextCapacity = capacity;
    }

    private void Free()
    {
        Marshal.FreeHGlobal(completions);
        Marshal.FreeHGlobal(text);
        completions = text = IntPtr.Zero;
        Count = 0;
    }
}
