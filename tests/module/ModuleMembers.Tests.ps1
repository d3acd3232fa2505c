# Every member of the module has somebody in the module who uses it, and every state of its own is one that something gets into: read
# from the assembly's code and from the sources.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"
    # Names after `is`, `or`, `==` and `case`, and before `=>`, ask for a state and set nothing.
    function Get-UnsetState([string] $Code, [string[]] $States) {
        $States | Where-Object { $Code -notmatch "(?<!\b(?:is|not|or|case)\s|[=!]= )\b$([regex]::Escape($_))\b(?! =>)" }
    }
    if (-not ('MemberUses' -as [type])) {
        Add-Type -TypeDefinition @'
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;

public static class MemberUses
{
    const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    // Methods, accessors and fields that no code of the assembly names. What others may see or call is left out: public members of
    // public types, overrides and implementations, parameters, layouts, and what the compiler makes.
    public static string[] None(Assembly assembly)
    {
        Type[] types = assembly.GetTypes();
        var used = new HashSet<int>(types.SelectMany(type => type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All))).SelectMany(Named));
        return types.Where(IsWritten).SelectMany(type => type.GetMembers(All)
                .Where(member => IsOurs(type, member) && !used.Contains(member.MetadataToken))
                .Select(member => type.Name + "." + member.Name))
            .OrderBy(name => name, StringComparer.Ordinal).ToArray();
    }

    static bool IsWritten(Type type)
    {
        return !type.IsEnum && !type.IsInterface && !type.IsLayoutSequential && !typeof(Delegate).IsAssignableFrom(type)
            && !typeof(Attribute).IsAssignableFrom(type) && !type.IsDefined(typeof(CompilerGeneratedAttribute), false);
    }

    static bool IsOurs(Type type, MemberInfo member)
    {
        if (member.Name.Contains("<"))
        {
            return false;
        }
        var field = member as FieldInfo;
        if (field != null)
        {
            return !field.IsLiteral && !(type.IsVisible && field.IsPublic);
        }
        var method = member as MethodInfo;
        if (method == null || method.IsVirtual || (type.IsVisible && method.IsPublic))
        {
            return false;
        }
        PropertyInfo property = type.GetProperties(All).FirstOrDefault(one => one.GetGetMethod(true) == method || one.GetSetMethod(true) == method);
        return property == null || !property.GetCustomAttributes(false).Any(attribute => attribute.GetType().Name == "ParameterAttribute");
    }

    // Every place that could be an instruction with a member: a few that are none add a use.
    static IEnumerable<int> Named(MethodBase method)
    {
        MethodBody body = method.GetMethodBody();
        byte[] code = body == null ? new byte[0] : body.GetILAsByteArray();
        for (int i = 0; i + 4 < code.Length; i++)
        {
            int token = BitConverter.ToInt32(code, i + 1);
            // call, callvirt, newobj, ldfld, ldflda, ldsfld, ldsflda, ldtoken; ldftn and ldvirtftn have a second byte
            bool isUse = Array.IndexOf(new byte[] { 0x28, 0x6F, 0x73, 0x7B, 0x7C, 0x7E, 0x7F, 0xD0 }, code[i]) >= 0
                || (i > 0 && code[i - 1] == 0xFE && (code[i] == 0x06 || code[i] == 0x07));
            int table = token >> 24;
            if (!isUse || (table != 0x04 && table != 0x06 && table != 0x0A && table != 0x2B))
            {
                continue;
            }
            MemberInfo member = null;
            try
            {
                Type[] ofType = method.DeclaringType.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
                member = method.Module.ResolveMember(token, ofType, method.IsGenericMethod ? method.GetGenericArguments() : null);
            }
            catch (Exception)
            {
            }
            // A method that calls itself is not used by that.
            if (member != null && member.Module == method.Module && member.MetadataToken != method.MetadataToken)
            {
                yield return member.MetadataToken;
            }
        }
    }
}

public static class UnusedForTest
{
    static int never;
    internal static int Never { get { return 1; } }
    internal static int Recursive(int n) { never = n; return n == 0 ? 0 : Recursive(n - 1); }
    internal static int Used() { return 2; }
    public static int Seen() { return Used(); }
}
'@
    }
}

Describe 'a member of the module' {
    It 'is used in it, but for what tests set' {
        [MemberUses]::None([RustRunspaces.InvokeRustParallelCommand].Assembly) | Should -Be 'EngineMembers.set_Missing', 'LoopCommands.set_Trial'
    }

    It 'that is not used is found' {
        @([MemberUses]::None([MemberUses].Assembly) | Where-Object { $_ -like 'UnusedForTest.*' }) | Should -Be 'UnusedForTest.Recursive', 'UnusedForTest.get_Never', 'UnusedForTest.never'
    }
}

Describe 'a state of the module''s own' {
    It 'is one that something gets into' {
        $sources = Split-Path (Get-RepositoryFile 'module/RustRunspaces.csproj')
        $files = Get-ChildItem -LiteralPath $sources -Recurse -Filter *.cs | Where-Object { $_.FullName -notmatch '[\\/](bin|obj)[\\/]' }
        # Those of Native are the library's numbers, and 0 is what a state begins with.
        $code = ($files | ForEach-Object { [IO.File]::ReadAllText($_.FullName) -replace '//[^\r\n]*', '' }) -join "`n"
        $states = [RustRunspaces.InvokeRustParallelCommand].Assembly.GetTypes() |
            Where-Object { $_.IsEnum -and -not $_.IsPublic -and $_.Namespace -ne 'RustRunspaces.Native' } |
            ForEach-Object { foreach ($value in [Enum]::GetValues($_)) { if ([int] $value) { "$($_.Name).$value" } } }
        $states.Count | Should -BeGreaterThan 20
        Get-UnsetState $code $states | Should -BeNullOrEmpty
    }

    It 'is not one that is only asked for' {
        Get-UnsetState 'case X.A: x is X.B or X.C; x == X.D; x != X.E; X.F => 1; return X.G;' ('ABCDEFGH'.ToCharArray() | ForEach-Object { "X.$_" }) |
            Should -Be 'X.A', 'X.B', 'X.C', 'X.D', 'X.E', 'X.F', 'X.H'
    }
}
