// A folder of one test for scripts and modules, gone when the test ends.

using System;
using System.IO;

namespace RustRunspaces.PowerShellTests.Scripts;

internal sealed class ScriptFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("rustrunspaces-");

    public string Path => folder.FullName;

    /// <returns>The file's path.</returns>
    public string Write(string name, string text)
    {
        string file = System.IO.Path.Combine(Path, name);
        File.WriteAllText(file, text);
        return file;
    }

    public void Dispose() => folder.Delete(recursive: true);
}
