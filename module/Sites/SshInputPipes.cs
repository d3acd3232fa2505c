// Keeps the pipes into which PowerShell writes for its ssh processes readable when such a process dies. The engine answers that death
// by ending the open input of the session's pipeline, which writes into the pipe; where nobody reads it any more the write fails,
// what was written stays in the writer's buffer, and the writer's disposal a moment later writes it again: on a thread of the
// engine's, where the exception ends the whole process. With a second reader, which never reads, nothing fails. Linux, where another
// process's pipe can be opened; elsewhere it does nothing. Any thread.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.Sites;

internal sealed class SshInputPipes
{
    private readonly List<Stream> readers = new List<Stream>();

    private SshInputPipes()
    {
    }

    internal static SshInputPipes Hold(IEnumerable<PSSession> sessions)
    {
        var pipes = new SshInputPipes();
        // By its name: the class is not in the reference assembly.
        bool hasSsh = sessions.Any(session => session.Runspace.ConnectionInfo?.GetType().Name == "SSHConnectionInfo");
        if (hasSsh && Directory.Exists("/proc/self/fd"))
        {
            pipes.OpenAll();
        }
        return pipes;
    }

    /// <summary>When no input is open any more.</summary>
    internal void Release()
    {
        foreach (Stream reader in readers)
        {
            reader.Dispose();
        }
        readers.Clear();
    }

    private void OpenAll()
    {
        int self;
        using (var process = Process.GetCurrentProcess())
        {
            self = process.Id;
        }
        foreach (string folder in Directory.GetDirectories("/proc").Where(folder => char.IsDigit(folder[folder.Length - 1])))
        {
            try
            {
                // proc(5): the name stands in parentheses and may have any character; the state and the parent follow.
                string stat = File.ReadAllText(folder + "/stat");
                int end = stat.LastIndexOf(')');
                string name = stat.Substring(0, end + 1);
                string[] rest = stat.Substring(end + 2).Split(' ');
                if (name.EndsWith("(ssh)", StringComparison.Ordinal) && int.Parse(rest[1], CultureInfo.InvariantCulture) == self)
                {
                    readers.Add(new FileStream(folder + "/fd/0", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1));
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or ArgumentException or NotSupportedException)
            {
                // The process has ended meanwhile, or belongs to somebody else.
            }
        }
    }
}
