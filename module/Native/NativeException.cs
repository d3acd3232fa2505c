// What the Native folder throws; Errors turns it into error records.

using System;

namespace RustRunspaces.Native;

/// <summary>A call into the engine failed.</summary>
internal sealed class NativeException : Exception
{
    internal NativeException(NativeStatus status, string message) : base(message)
    {
        Status = status;
    }

    internal NativeStatus Status { get; }
}

/// <summary>The engine's library could not be brought in.</summary>
internal sealed class LibraryException : Exception
{
    internal LibraryException(LibraryFailure failure, string path, string message) : base(message)
    {
        Failure = failure;
        Path = path;
    }

    internal LibraryFailure Failure { get; }

    /// <summary>Where the library is expected: absolute.</summary>
    internal string Path { get; }
}

/// <summary>Why the library could not be brought in; the names are the error ids.</summary>
internal enum LibraryFailure
{
    NativeLibraryNotFound,
    NativeLibraryNotLoaded,
    AbiMismatch,
}
