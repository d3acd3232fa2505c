// Finds objects of the caller's that carry script code: instances of its classes with methods, and members that are scripts. Such
// code runs in the session that made it, whoever calls it: two threads at a time get wrong values, or wait for each other. What can
// be seen cheaply is seen, and named in a warning; what is not shows when a job waits for the caller. Thread that adds items.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Linq;
using System.Management.Automation;
using System.Reflection;

namespace RustRunspaces.Scripts;

internal static class ForeignCode
{
    // So much of one object, and so deep.
    private const int LongestLook = 64;
    private const int Depth = 4;

    private static readonly ConcurrentDictionary<Type, bool> Classes = new ConcurrentDictionary<Type, bool>();

    /// <summary>The name of the type that carries code, or null.</summary>
    /// <param name="value">Of the caller's.</param>
    /// <param name="isThorough">Look at its members, and at what it holds, too.</param>
    internal static string? Find(object? value, bool isThorough)
    {
        if (isThorough)
        {
            int left = LongestLook;
            try
            {
                return FindIn(value, Depth, ref left);
            }
            catch (Exception error) when (error is InvalidOperationException or GetValueException)
            {
                return null; // another thread changes it just now, or it does not show itself
            }
        }
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        return plain is not null && Classes.GetOrAdd(plain.GetType(), HasMethodsOfScript) ? plain.GetType().Name : null;
    }

    /// <summary>What to say of it.</summary>
    internal static string Warning(string place, string type) => Warning($"{place} of the type {type}");

    /// <summary>The same of one that was not seen before a job called its code.</summary>
    internal static string Warning(string subject = "An object that a job uses") =>
        $"{subject} carries script code, which runs in the caller's session even in a job: values may be wrong, and jobs may wait for the caller. Pass plain properties, as Select-Object makes them, or give a class the attribute [NoRunspaceAffinity()] where PowerShell knows it (7.4)";

    private static string? FindIn(object? value, int depth, ref int left)
    {
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (left-- <= 0 || plain is null or string || plain.GetType().IsPrimitive)
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
        foreach (object? held in (depth == 0 ? null : HeldBy(value!, plain)) ?? Array.Empty<object>())
        {
            string? found = ForeignBlocks.Is(held) ? nameof(ScriptBlock) : FindIn(held, depth - 1, ref left);
            if (found is not null || left <= 0)
            {
                return found;
            }
        }
        return null;
    }

    private static IEnumerable? HeldBy(object value, object plain) => plain switch
    {
        IDictionary table => table.Values,
        // Collections that are nobody's own code, and arrays.
        IEnumerable list when plain is object[] || plain.GetType().Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) == true => list,
        PSCustomObject => ((PSObject)value).Properties.OfType<PSNoteProperty>().Select(property => property.Value),
        // A class of the language without a method: the properties are its own, and compiled.
        _ when plain.GetType().Assembly.IsDynamic => PSObject.AsPSObject(plain).Properties.OfType<PSProperty>().Where(property => property.IsGettable).Select(property => property.Value),
        _ => null,
    };

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
