// pwsh.exe, as PowerShell's own is: the engine's console with the arguments given.

using Microsoft.PowerShell;

return UnmanagedPSEntry.Start(args, args.Length);
