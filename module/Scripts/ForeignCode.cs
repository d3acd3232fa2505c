// Finds objects of the caller's that carry script code: instances of its classes with methods, and members that are scripts. Such
// code runs in the session that made it, whoever calls it: two threads at a time get wrong values, or wait for each other. What can
// be seen cheaply is seen; it decides only about a warning. Thread that adds items.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Linq;
using System.Management.Automation;
using System.Reflection;

namespace RustRunspaces.Scripts;

internal static class ForeignCode
{
    private const int LongestLook = 64;

    private static readonly ConcurrentDictionary<Type, bool> Classes = new ConcurrentDictionary<Type, bool>();

    /// <summary>The name of the type that carries code, or null.</summary>
    /// <param name="value">Of the caller's.</param>
    /// <param name="isThorough">Look at its members, and at what it holds, too.</param>
    internal static string? Find(object? value, bool isThorough)
    {
        if (isThorough)
        {
            return FindIn(value, depth: 1);
        }
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        return plain is not null && Classes.GetOrAdd(plain.GetType(), HasMethodsOfScript) ? plain.GetType().Name : null;
    }

    /// <summary>What to say of it.</summary>
    internal static string Warning(string place, string type) =>
        $"{place} of the type {type} carries script code, which runs in the caller's session even in a job: values may be wrong, and jobs may wait for the caller. Pass plain properties, as Select-Object makes them, or give a class the attribute [NoRunspaceAffinity()] where PowerShell knows it (7.4)";

    private static string? FindIn(object? value, int depth)
    {
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (plain is null or string || plain.GetType().IsPrimitive)
        {
            return null;
        }
        if (Classes.GetOrAdd(plain.GetType(), HasMethodsOfScript))
        {
            return plain.GetType().Name;
        }
        // Members of scripts are the instance's own; those of a type's are every session's.
        if (value is PSObject extended && extended.Members.Match("*", PSMemberTypes.ScriptProperty | PSMemberTypes.ScriptMethod).Any(member => member.IsInstance))
        {
            return extended.TypeNames.FirstOrDefault() ?? plain.GetType().Name;
        }
        if (depth == 0)
        {
            return null;
        }
        switch (plain)
        {
            case IDictionary table:
                return table.Count > LongestLook ? null : FirstOf(table.Values);
            // Lists that are nobody's own code, and arrays.
            case IList list when plain is object[] || plain.GetType().Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) == true:
                return list.Count > LongestLook ? null : FirstOf(list);
            case PSCustomObject:
                return FirstOf(((PSObject)value!).Properties.OfType<PSNoteProperty>().Select(property => property.Value));
            default:
                return null;
        }
    }

    private static string? FirstOf(IEnumerable values)
    {
        foreach (object? value in values)
        {
            string? found = ForeignBlocks.Is(value) ? nameof(ScriptBlock) : FindIn(value, depth: 0);
            if (found is not null)
            {
                return found;
            }
        }
        return null;
    }

    /// <summary>A class of the language with a method. One with properties alone is data.</summary>
    private static bool HasMethodsOfScript(Type type)
    {
        const BindingFlags own = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        for (Type? level = type; level is not null && level.Assembly.IsDynamic; level = level.BaseType)
        {
            if (level.GetCustomAttributesData().Any(attribute => attribute.AttributeType.Name == "NoRunspaceAffinityAttribute"))
            {
                return false;
            }
            if (level.GetMethods(own).Any(method => !method.IsSpecialName))
            {
                return true;
            }
        }
        return false;
    }
}
