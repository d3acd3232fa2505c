// What -ComputerName takes: strings, addresses, objects with one of the named properties, and collections of these. Every
// other item becomes a marker (InvalidItem), so that binding never fails. Runs on the pipeline thread, before binding.
//
// The binder tries values from the pipeline without conversion first, but runs transformations even then: so every piped
// object comes through here, and piping objects works alike in Windows PowerShell 5.1 and PowerShell 7.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using System.Net;
using RustRunspaces.Commands;

namespace RustRunspaces;

/// <summary>Makes strings of the items of -ComputerName.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ComputerNameTransformationAttribute : ArgumentTransformationAttribute
{
    // Deeper nesting is a collection that contains itself.
    private const int DeepestCollection = 16;

    /// <summary>
    /// The properties looked for, first come first served: the parameter's name, its aliases, and what Test-Connection's results
    /// have. These are no aliases, which the binder would ask of every object: an IPv6 [ipaddress] has an Address that throws.
    /// </summary>
    internal static readonly string[] PropertyNames =
    {
        "ComputerName", "CN", "TargetName", "HostName", "DNSHostName", "Server", "IPAddress", "Destination", "Target", "Address",
    };

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        if (inputData is string[] names)
        {
            return names;
        }
        if (inputData is string name)
        {
            return new[] { name };
        }
        if ((inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is ScriptBlock)
        {
            // No host, and not made one: else the binder takes a block that stands first for the hosts, too.
            return inputData;
        }
        var targets = new List<string>();
        Add(inputData, targets, 0);
        return targets.ToArray();
    }

    private static void Add(object? item, List<string> targets, int depth)
    {
        object? value = item is PSObject wrapped ? wrapped.BaseObject : item;
        if (TryGetText(value, out string text))
        {
            targets.Add(text);
        }
        else if (value is not null && value is not IDictionary && LanguagePrimitives.GetEnumerable(value) is IEnumerable items)
        {
            if (depth == DeepestCollection)
            {
                targets.Add(InvalidItem.ToMarker(item));
                return;
            }
            foreach (object? element in items)
            {
                Add(element, targets, depth + 1);
            }
        }
        else if (value is null || !TryAddProperty(item!, value, targets))
        {
            targets.Add(InvalidItem.ToMarker(item));
        }
    }

    private static bool TryGetText(object? value, out string text)
    {
        text = value as string ?? (value as IPAddress)?.ToString() ?? "";
        return value is string or IPAddress;
    }

    private static bool TryAddProperty(object item, object value, List<string> targets)
    {
        foreach (string name in PropertyNames)
        {
            object? property = value is IDictionary dictionary
                ? (dictionary.Contains(name) ? dictionary[name] : null)
                : GetProperty(item, name);
            int before = targets.Count;
            AddPropertyValue(property, targets);
            if (targets.Count > before)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>One text or several, as in a network adapter's IPAddress; anything else adds nothing.</summary>
    private static void AddPropertyValue(object? property, List<string> targets)
    {
        object? value = property is PSObject wrapped ? wrapped.BaseObject : property;
        if (TryGetText(value, out string text))
        {
            if (!string.IsNullOrWhiteSpace(text))
            {
                targets.Add(text);
            }
            return;
        }
        if (value is null || LanguagePrimitives.GetEnumerable(value) is not IEnumerable items)
        {
            return;
        }
        foreach (object? element in items)
        {
            object? elementValue = element is PSObject wrappedElement ? wrappedElement.BaseObject : element;
            if (TryGetText(elementValue, out string elementText) && !string.IsNullOrWhiteSpace(elementText))
            {
                targets.Add(elementText);
            }
        }
    }

    private static object? GetProperty(object item, string name)
    {
        try
        {
            return PSObject.AsPSObject(item).Properties[name]?.Value;
        }
        catch (GetValueException)
        {
            return null; // a property whose getter throws says nothing
        }
    }
}
