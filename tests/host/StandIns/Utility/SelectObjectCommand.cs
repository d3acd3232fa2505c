// Select-Object: picks objects or properties; -First ends the commands before it as soon as it
// has enough, which is what the tests of early stop need.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Select, "Object")]
public sealed class SelectObjectCommand : PSCmdlet
{
    private readonly Queue<PSObject> _last = new();
    private readonly List<PSObject> _unique = new();
    private PropertyExpression[] _properties = Array.Empty<PropertyExpression>();
    private int _seen;
    private int _written;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[]? Property { get; set; }

    [Parameter]
    public string[]? ExcludeProperty { get; set; }

    [Parameter]
    public string? ExpandProperty { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter, ValidateRange(0, int.MaxValue)]
    public int? First { get; set; }

    [Parameter, ValidateRange(0, int.MaxValue)]
    public int? Last { get; set; }

    [Parameter, ValidateRange(0, int.MaxValue)]
    public int Skip { get; set; }

    [Parameter, ValidateRange(0, int.MaxValue)]
    public int[]? Index { get; set; }

    [Parameter]
    public SwitchParameter Wait { get; set; }

    protected override void BeginProcessing()
    {
        _properties = PropertyExpression.Parse(Property);
        if (_properties.Length == 0 && ExcludeProperty is not null)
        {
            _properties = PropertyExpression.Parse(new object[] { "*" });
        }
        if (First == 0 && Last is null)
        {
            StopUpstream();
        }
    }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
        {
            return;
        }
        int index = _seen++;
        if (Index is not null)
        {
            if (Index.Contains(index))
            {
                Emit(InputObject);
            }
            return;
        }
        // With -Last, -Skip counts from the end.
        if (Last is int last)
        {
            if (_written < (First ?? 0))
            {
                Emit(InputObject);
                return;
            }
            _last.Enqueue(InputObject);
            if (_last.Count > last + Skip)
            {
                _last.Dequeue();
            }
            return;
        }
        if (index < Skip)
        {
            return;
        }
        Emit(InputObject);
        if (_written >= First)
        {
            StopUpstream();
        }
    }

    protected override void EndProcessing()
    {
        foreach (PSObject item in _last.Take(Math.Max(_last.Count - Skip, 0)))
        {
            Emit(item);
        }
        foreach (PSObject item in _unique)
        {
            WriteObject(item);
        }
    }

    private void StopUpstream()
    {
        if (Wait)
        {
            return;
        }
        EndProcessing();
        throw EngineInternals.StopUpstream(this);
    }

    private void Emit(PSObject item)
    {
        if (Last is null && _written >= First)
        {
            return;
        }
        _written++;
        PSObject selected = _properties.Length == 0 ? item : Pick(item);
        if (ExpandProperty is null)
        {
            Write(selected);
            return;
        }
        PSPropertyInfo? expanded = item.Properties[ExpandProperty];
        if (expanded is null)
        {
            WriteError(new ErrorRecord(
                new PSArgumentException($"Property \"{ExpandProperty}\" cannot be found"),
                "ExpandPropertyNotFound",
                ErrorCategory.InvalidArgument,
                item));
            return;
        }
        object? value = expanded.Value is PSObject wrapped ? wrapped.BaseObject : expanded.Value;
        if (value is IEnumerable items and not string and not IDictionary)
        {
            foreach (object? element in items)
            {
                Write(element is null ? null : PSObject.AsPSObject(element));
            }
            return;
        }
        Write(value is null ? null : PSObject.AsPSObject(expanded.Value));
    }

    private void Write(PSObject? item)
    {
        if (!Unique)
        {
            WriteObject(item);
        }
        else if (item is not null && !_unique.Any(known => Same(known, item)))
        {
            _unique.Add(item);
        }
    }

    private PSObject Pick(PSObject item)
    {
        var picked = new PSObject();
        WildcardPattern[] excluded = (ExcludeProperty ?? Array.Empty<string>())
            .Select(name => WildcardPattern.Get(name, WildcardOptions.IgnoreCase)).ToArray();
        foreach (KeyValuePair<string, object?> value in _properties.SelectMany(p => p.Values(item)))
        {
            if (!excluded.Any(pattern => pattern.IsMatch(value.Key)) && picked.Properties[value.Key] is null)
            {
                picked.Properties.Add(new PSNoteProperty(value.Key, value.Value));
            }
        }
        picked.TypeNames.Insert(0, "Selected." + item.BaseObject.GetType());
        return picked;
    }

    private bool Same(PSObject left, PSObject right)
    {
        if (_properties.Length == 0)
        {
            return LanguagePrimitives.Equals(left, right);
        }
        return left.Properties.All(
            property => LanguagePrimitives.Equals(property.Value, right.Properties[property.Name]?.Value));
    }
}
