// New-Object, Add-Member and Get-Member; New-Guid, Get-Random, Get-Host, Get-Culture and
// Invoke-Expression.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.New, "Object")]
public sealed class NewObjectCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public string TypeName { get; set; } = "";

    [Parameter(Position = 1), Alias("Args")]
    public object[] ArgumentList { get; set; } = Array.Empty<object>();

    [Parameter]
    public IDictionary? Property { get; set; }

    protected override void EndProcessing()
    {
        if (!LanguagePrimitives.TryConvertTo(TypeName, out Type type))
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSArgumentException($"Cannot find type [{TypeName}]: verify that the assembly containing this type is loaded."),
                "TypeNotFound",
                ErrorCategory.InvalidType,
                TypeName));
        }
        // The language's own constructor call: its conversions, its error messages. In a table, or
        // a new collection would be enumerated.
        var made = (Hashtable)InvokeCommand.InvokeScript(
            "param($type, $list) @{ Item = $type::new.Invoke($list) }", type, ArgumentList)[0].BaseObject;
        PSObject item = PSObject.AsPSObject(made["Item"]!);
        foreach (DictionaryEntry entry in Property ?? new Hashtable())
        {
            string name = entry.Key.ToString()!;
            if (type == typeof(PSObject))
            {
                item.Properties.Add(new PSNoteProperty(name, entry.Value));
            }
            else
            {
                item.Properties[name].Value = entry.Value;
            }
        }
        WriteObject(item);
    }
}

[Cmdlet(VerbsCommon.Add, "Member", DefaultParameterSetName = "TypeName")]
public sealed class AddMemberCommand : PSCmdlet
{
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public PSObject InputObject { get; set; } = null!;

    [Parameter(Mandatory = true, ParameterSetName = "Member", Position = 0), Alias("Type")]
    public PSMemberTypes MemberType { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Member", Position = 1)]
    public string Name { get; set; } = "";

    [Parameter(ParameterSetName = "Member", Position = 2)]
    public object? Value { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "NotePropertySingle", Position = 0)]
    [ValidateNotAMemberType]
    public string NotePropertyName { get; set; } = "";

    [Parameter(Mandatory = true, ParameterSetName = "NotePropertySingle", Position = 1), AllowNull]
    public object? NotePropertyValue { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "NotePropertyMulti", Position = 0)]
    public IDictionary NotePropertyMembers { get; set; } = null!;

    [Parameter(ParameterSetName = "TypeName")]
    public string? TypeName { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case "Member":
                Add(NewMember());
                break;
            case "NotePropertySingle":
                Add(new PSNoteProperty(NotePropertyName, NotePropertyValue));
                break;
            case "NotePropertyMulti":
                foreach (DictionaryEntry entry in NotePropertyMembers)
                {
                    Add(new PSNoteProperty(entry.Key.ToString(), entry.Value));
                }
                break;
            default:
                InputObject.TypeNames.Insert(0, TypeName);
                break;
        }
        if (PassThru)
        {
            WriteObject(InputObject);
        }
    }

    private PSMemberInfo NewMember() => MemberType switch
    {
        PSMemberTypes.NoteProperty => new PSNoteProperty(Name, Value),
        PSMemberTypes.AliasProperty => new PSAliasProperty(Name, LanguagePrimitives.ConvertTo<string>(Value)),
        PSMemberTypes.ScriptProperty => new PSScriptProperty(Name, (ScriptBlock)Value!),
        PSMemberTypes.ScriptMethod => new PSScriptMethod(Name, (ScriptBlock)Value!),
        _ => throw new PSArgumentException($"Members of type {MemberType} cannot be added"),
    };

    private void Add(PSMemberInfo member)
    {
        if (Force && InputObject.Members[member.Name] is not null)
        {
            InputObject.Members.Remove(member.Name);
        }
        InputObject.Members.Add(member);
    }
}

/// <summary>Lets the first of three positional arguments, a member type, find its parameter.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ValidateNotAMemberTypeAttribute : ValidateArgumentsAttribute
{
    protected override void Validate(object arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is string name && Enum.TryParse<PSMemberTypes>(name, ignoreCase: true, out _))
        {
            throw EngineInternals.Unfit($"'{name}' is a type of members");
        }
    }
}

/// <summary>What Get-Member writes.</summary>
public sealed class MemberDefinition
{
    internal MemberDefinition(string typeName, PSMemberInfo member)
    {
        TypeName = typeName;
        Name = member.Name;
        MemberType = member.MemberType;
        Definition = member.ToString() ?? "";
    }

    public string TypeName { get; }

    public string Name { get; }

    public PSMemberTypes MemberType { get; }

    public string Definition { get; }

    public override string ToString() => Definition;
}

[Cmdlet(VerbsCommon.Get, "Member")]
public sealed class GetMemberCommand : PSCmdlet
{
    private readonly HashSet<string> _typesSeen = new();

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string[] Name { get; set; } = { "*" };

    [Parameter, Alias("Type")]
    public PSMemberTypes MemberType { get; set; } = PSMemberTypes.All;

    protected override void ProcessRecord()
    {
        if (InputObject is null || !_typesSeen.Add(InputObject.TypeNames[0]))
        {
            return;
        }
        foreach (PSMemberInfo member in Name
            .SelectMany(name => InputObject.Members.Match(name, MemberType))
            .Where(member => !member.Name.StartsWith("get_") && !member.Name.StartsWith("set_"))
            .OrderBy(member => member.MemberType.ToString())
            .ThenBy(member => member.Name, StringComparer.OrdinalIgnoreCase))
        {
            WriteObject(new MemberDefinition(InputObject.TypeNames[0], member));
        }
    }
}

[Cmdlet(VerbsCommon.New, "Guid")]
public sealed class NewGuidCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(Guid.NewGuid());
}

[Cmdlet(VerbsCommon.Get, "Random")]
public sealed class GetRandomCommand : PSCmdlet
{
    private readonly List<object> _items = new();

    [Parameter(Position = 0)]
    public object? Maximum { get; set; }

    [Parameter]
    public object? Minimum { get; set; }

    [Parameter(ValueFromPipeline = true)]
    public object[]? InputObject { get; set; }

    [Parameter, ValidateRange(1, int.MaxValue)]
    public int Count { get; set; } = 1;

    [Parameter]
    public int? SetSeed { get; set; }

    protected override void ProcessRecord() => _items.AddRange(InputObject ?? Array.Empty<object>());

    protected override void EndProcessing()
    {
        Random random = SetSeed is int seed ? new Random(seed) : Random.Shared;
        if (InputObject is not null)
        {
            object[] shuffled = _items.ToArray();
            random.Shuffle(shuffled);
            WriteObject(shuffled.Take(Count), enumerateCollection: true);
            return;
        }
        object? from = Number(Minimum);
        object? to = Number(Maximum);
        for (int i = 0; i < Count; i++)
        {
            if (from is double || to is double)
            {
                double least = from is null ? 0 : Convert.ToDouble(from);
                double most = to is null ? double.MaxValue : Convert.ToDouble(to);
                WriteObject(least + (random.NextDouble() * (most - least)));
                continue;
            }
            long value = random.NextInt64(
                from is null ? 0 : Convert.ToInt64(from), to is null ? int.MaxValue : Convert.ToInt64(to));
            WriteObject(value is >= int.MinValue and <= int.MaxValue ? (int)value : (object)value);
        }
    }

    private static object? Number(object? value) => value switch
    {
        null => null,
        PSObject wrapped => Number(wrapped.BaseObject),
        double or float or decimal => Convert.ToDouble(value),
        _ => LanguagePrimitives.ConvertTo<long>(value),
    };
}

[Cmdlet(VerbsCommon.Get, "Host")]
public sealed class GetHostCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(Host);
}

[Cmdlet(VerbsCommon.Get, "Culture")]
public sealed class GetCultureCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(CultureInfo.CurrentCulture);
}

[Cmdlet(VerbsCommon.Get, "UICulture")]
public sealed class GetUICultureCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(CultureInfo.CurrentUICulture);
}

[Cmdlet(VerbsLifecycle.Invoke, "Expression")]
public sealed class InvokeExpressionCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string Command { get; set; } = "";

    protected override void ProcessRecord() => InvokeCommand.InvokeScript(
        useLocalScope: false,
        ScriptBlock.Create(Command),
        input: null,
        args: null)
        .ToList().ForEach(WriteObject);
}
