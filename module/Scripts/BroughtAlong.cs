// What a call that runs in another session brought along from its caller, and what it adds to that session's own state. Pipeline thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

/// <summary>What came along from the caller, read there.</summary>
internal sealed class BroughtAlong
{
    internal Hashtable Usings { get; set; } = new Hashtable(StringComparer.Ordinal);

    internal Hashtable Variables { get; set; } = new Hashtable();

    internal Hashtable Functions { get; set; } = new Hashtable();

    /// <summary>Of $using: values that come with each item.</summary>
    internal string[] LateKeys { get; set; } = Array.Empty<string>();

    internal void AddTo(CallerState caller, CallerFunctions functions)
    {
        foreach (DictionaryEntry value in Usings)
        {
            caller.Usings[value.Key] = value.Value;
        }
        foreach (DictionaryEntry variable in Variables)
        {
            caller.Variables.Add(new KeyValuePair<string, object?>((string)variable.Key, variable.Value));
        }
        foreach (DictionaryEntry function in Functions)
        {
            functions.Add((string)function.Key, ScriptBlock.Create((string)function.Value));
        }
    }
}
