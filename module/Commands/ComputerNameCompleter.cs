// Proposals for -ComputerName: the names in the hosts file and in the known_hosts files of ssh. Files that are not there or
// not readable propose nothing.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Runtime.InteropServices;

namespace RustRunspaces;

/// <summary>Completes -ComputerName.</summary>
public sealed class ComputerNameCompleter : IArgumentCompleter
{
    private static readonly char[] Blanks = { ' ', '\t' };

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string begin = (wordToComplete ?? "").Trim('\'', '"');
        return HostsFiles().SelectMany(NamesInHosts)
            .Concat(KnownHostsFiles().SelectMany(NamesInKnownHosts))
            .Where(name => name.StartsWith(begin, StringComparison.OrdinalIgnoreCase))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .OrderBy(name => name, StringComparer.OrdinalIgnoreCase)
            .Select(name => new CompletionResult(Quote(name), name, CompletionResultType.ParameterValue, name));
    }

    /// <summary>hosts(5): an address, then names; # begins a comment.</summary>
    private static IEnumerable<string> NamesInHosts(string file) =>
        Lines(file).SelectMany(line => line.Split('#')[0].Split(Blanks, StringSplitOptions.RemoveEmptyEntries).Skip(1));

    /// <summary>sshd(8): an optional @marker, then names with commas between; hashed names and patterns say no name.</summary>
    private static IEnumerable<string> NamesInKnownHosts(string file) =>
        from line in Lines(file)
        where !line.StartsWith("#", StringComparison.Ordinal)
        let fields = line.Split(Blanks, StringSplitOptions.RemoveEmptyEntries)
        let hosts = fields.FirstOrDefault(field => !field.StartsWith("@", StringComparison.Ordinal))
        where hosts is not null
        from host in hosts.Split(',')
        where host.Length > 0 && host.IndexOfAny(new[] { '|', '*', '?', '!' }) < 0
        select WithoutPort(host);

    /// <summary>A name with a port is written [name]:port.</summary>
    private static string WithoutPort(string host)
    {
        int end = host.IndexOf(']');
        return host[0] == '[' && end > 0 ? host.Substring(1, end - 1) : host;
    }

    private static IEnumerable<string> HostsFiles()
    {
        yield return RuntimeInformation.IsOSPlatform(OSPlatform.Windows)
            ? Path.Combine(Environment.SystemDirectory, "drivers", "etc", "hosts")
            : "/etc/hosts";
    }

    private static IEnumerable<string> KnownHostsFiles()
    {
        yield return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh", "known_hosts");
        yield return RuntimeInformation.IsOSPlatform(OSPlatform.Windows)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "ssh", "ssh_known_hosts")
            : "/etc/ssh/ssh_known_hosts";
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Array.Empty<string>();
        }
    }

    /// <summary>Names need no quotes, but these files may hold anything.</summary>
    private static string Quote(string name) =>
        name.All(character => char.IsLetterOrDigit(character) || character is '.' or '-' or '_' or ':')
            ? name
            : "'" + CodeGeneration.EscapeSingleQuotedStringContent(name) + "'";
}
