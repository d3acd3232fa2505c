// What -TcpPort takes beside numbers: one string with several, as `pwsh -File` hands '22,443' over. Everything else is the binder's
// business. Runs on the pipeline thread, before binding.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;

namespace RustRunspaces;

/// <summary>Splits strings of ports at their commas.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PortListTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is string text)
        {
            return text.IndexOf(',') < 0 ? inputData : Split(text);
        }
        if (value is not IList list)
        {
            return inputData;
        }
        var ports = new List<object?>();
        foreach (object? item in list)
        {
            object? port = item is PSObject wrappedPort ? wrappedPort.BaseObject : item;
            if (port is string several && several.IndexOf(',') >= 0)
            {
                ports.AddRange(Split(several));
            }
            else
            {
                ports.Add(item);
            }
        }
        return ports.ToArray();
    }

    private static string[] Split(string text) => Array.ConvertAll(text.Split(','), part => part.Trim());
}
