// Members of the engine and the runtime that the reference assemblies do not have, by their names. Whoever asks has a way without
// them. Any thread.

using System;
using System.Linq;
using System.Management.Automation;
using System.Reflection;

namespace RustRunspaces.Output;

internal static class EngineMembers
{
    private const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Names to be taken for missing, so that the ways without can be tried.</summary>
    internal static string[] Missing { get; set; } = Array.Empty<string>();

    /// <param name="name">Full.</param>
    internal static Type? Type(string name) => Missing.Contains(name) ? null : typeof(PSObject).Assembly.GetType(name);

    /// <param name="type">Whose member it is.</param>
    /// <param name="name">Of the method.</param>
    /// <param name="parameters">Their types; none where there is one method of that name.</param>
    internal static MethodInfo? Method(Type? type, string name, params Type[] parameters) =>
        Missing.Contains(name) ? null
        : parameters.Length == 0 ? type?.GetMethod(name, All)
        : type?.GetMethod(name, All, null, parameters, null);

    /// <param name="type">What it makes.</param>
    /// <param name="parameters">Their types.</param>
    internal static ConstructorInfo? Constructor(Type type, params Type[] parameters) =>
        Missing.Contains(ConstructorInfo.ConstructorName) ? null : type.GetConstructor(parameters);

    internal static PropertyInfo? Property(Type? type, string name) => Missing.Contains(name) ? null : type?.GetProperty(name, All);
}
