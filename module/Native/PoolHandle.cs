// Owns one open pool of the engine: closed exactly once, by Dispose or by the finalizer.

using System;
using System.Runtime.InteropServices;

namespace RustRunspaces.Native;

/// <summary>An rr_pool. It is a number, never a pointer: using it after the close is an error, not a fault.</summary>
internal sealed unsafe class PoolHandle : SafeHandle
{
    private readonly Library library;

    internal PoolHandle(Library library, ulong pool) : base(IntPtr.Zero, ownsHandle: true)
    {
        this.library = library;
        SetHandle((IntPtr)(long)pool);
    }

    public override bool IsInvalid => handle == IntPtr.Zero;

    /// <summary>The number, for the functions of the import table.</summary>
    internal ulong Value => (ulong)(long)handle;

    protected override bool ReleaseHandle() => library.PoolClose(Value, null) == (int)NativeStatus.Ok;
}
