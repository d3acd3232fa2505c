// The numbers of rr_status that the module tells apart; the engine has the sentence for each of them.

namespace RustRunspaces.Native;

/// <summary>About a call, not about a job: 0 is success, positive is not an error.</summary>
internal enum NativeStatus
{
    Ok = 0,
    Timeout = 1,
    Again = 2,
    Closed = 3,
    InvalidArgument = -1,
    NullPointer = -2,
    BadHandle = -3,
    BadSize = -4,
    Busy = -5,
    WouldDeadlock = -6,
    InvalidTarget = -7,
    TooManyAddresses = -8,
    BufferTooSmall = -9,
    BadState = -10,
    NoResources = -20,
    NoThreads = -21,
    IcmpNotPermitted = -40,
    NotSupported = -41,
    Panic = -60,
}
