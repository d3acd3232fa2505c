// Sort-Object, Group-Object and Compare-Object: cmdlets that read all their input and compare
// objects by the values of properties.

using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>Compares lists of key values as PowerShell's own operators do.</summary>
internal sealed class KeyComparer : IComparer<object?[]>, IEqualityComparer<object?[]>
{
    private readonly bool[] _descending;
    private readonly bool _ignoreCase;

    public KeyComparer(IEnumerable<bool> descending, bool ignoreCase)
    {
        _descending = descending.ToArray();
        _ignoreCase = ignoreCase;
    }

    public int Compare(object?[]? x, object?[]? y)
    {
        for (int i = 0; i < _descending.Length; i++)
        {
            int order = CompareValues(x![i], y![i]);
            if (order != 0)
            {
                return _descending[i] ? -order : order;
            }
        }
        return 0;
    }

    public bool Equals(object?[]? x, object?[]? y) => Compare(x, y) == 0;

    public int GetHashCode(object?[] key)
    {
        var hash = default(HashCode);
        foreach (object? value in key)
        {
            string text = PSObject.AsPSObject(value ?? "").ToString();
            hash.Add(_ignoreCase ? text.ToUpperInvariant() : text);
        }
        return hash.ToHashCode();
    }

    private int CompareValues(object? x, object? y) =>
        LanguagePrimitives.TryCompare(x, y, _ignoreCase, CultureInfo.CurrentCulture, out int order)
            ? order
            : string.Compare(x?.ToString(), y?.ToString(), _ignoreCase, CultureInfo.CurrentCulture);
}

[Cmdlet("Sort", "Object")]
public sealed class SortObjectCommand : PSCmdlet
{
    private readonly List<PSObject> _items = new();

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[]? Property { get; set; }

    [Parameter]
    public SwitchParameter Descending { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter, ValidateRange(1, int.MaxValue)]
    public int? Top { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            _items.Add(InputObject);
        }
    }

    protected override void EndProcessing()
    {
        PropertyExpression[] keys = PropertyExpression.Parse(Property);
        IEnumerable<bool> descending = keys.Length == 0
            ? new[] { (bool)Descending }
            : keys.Select(key => key.Descending ?? Descending);
        var comparer = new KeyComparer(descending, !CaseSensitive);

        // OrderBy is stable, as the real cmdlet is.
        IEnumerable<(object?[] Key, PSObject Item)> sorted = _items
            .Select(item => (Key: Key(keys, item), Item: item))
            .OrderBy(pair => pair.Key, comparer);
        if (Unique)
        {
            sorted = sorted.GroupBy(pair => pair.Key, comparer).Select(group => group.First());
        }
        foreach ((object?[] _, PSObject item) in sorted.Take(Top ?? int.MaxValue))
        {
            WriteObject(item);
        }
    }

    internal static object?[] Key(PropertyExpression[] keys, PSObject item) => keys.Length == 0
        ? new object?[] { item }
        : keys.Select(key => key.FirstValue(item)).ToArray();
}

/// <summary>What Group-Object writes.</summary>
public sealed class GroupInfo
{
    internal GroupInfo(string name, object?[] values)
    {
        Name = name;
        Values = values;
    }

    public int Count => Group.Count;

    public string Name { get; }

    public Collection<PSObject> Group { get; } = new();

    public object?[] Values { get; }
}

[Cmdlet("Group", "Object")]
public sealed class GroupObjectCommand : PSCmdlet
{
    private readonly List<PSObject> _items = new();

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[]? Property { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter NoElement { get; set; }

    [Parameter, Alias("AHT")]
    public SwitchParameter AsHashTable { get; set; }

    [Parameter]
    public SwitchParameter AsString { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            _items.Add(InputObject);
        }
    }

    protected override void EndProcessing()
    {
        PropertyExpression[] keys = PropertyExpression.Parse(Property);
        var comparer = new KeyComparer(new bool[Math.Max(keys.Length, 1)], !CaseSensitive);
        var groups = new List<GroupInfo>();
        foreach (IGrouping<object?[], PSObject> group in
            _items.GroupBy(item => SortObjectCommand.Key(keys, item), comparer).OrderBy(g => g.Key, comparer))
        {
            var info = new GroupInfo(string.Join(", ", group.Key.Select(value => $"{value}")), group.Key);
            foreach (PSObject item in group)
            {
                info.Group.Add(item);
            }
            groups.Add(info);
        }

        if (!AsHashTable)
        {
            WriteObject(NoElement ? groups.Select(WithoutElements) : groups, enumerateCollection: true);
            return;
        }
        var table = new System.Collections.Hashtable(StringComparer.CurrentCultureIgnoreCase);
        foreach (GroupInfo group in groups)
        {
            object? value = group.Values[0] is PSObject wrapped ? wrapped.BaseObject : group.Values[0];
            table[AsString || value is null ? group.Name : value] = group.Group;
        }
        WriteObject(table);
    }

    private static PSObject WithoutElements(GroupInfo group)
    {
        var counted = new PSObject();
        counted.Properties.Add(new PSNoteProperty("Count", group.Count));
        counted.Properties.Add(new PSNoteProperty("Name", group.Name));
        return counted;
    }
}

[Cmdlet(VerbsData.Compare, "Object")]
public sealed class CompareObjectCommand : PSCmdlet
{
    private readonly List<PSObject> _differences = new();

    [Parameter(Mandatory = true, Position = 0), AllowEmptyCollection]
    public PSObject[] ReferenceObject { get; set; } = Array.Empty<PSObject>();

    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true), AllowEmptyCollection]
    public PSObject[] DifferenceObject { get; set; } = Array.Empty<PSObject>();

    [Parameter]
    public object[]? Property { get; set; }

    [Parameter]
    public SwitchParameter IncludeEqual { get; set; }

    [Parameter]
    public SwitchParameter ExcludeDifferent { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    protected override void ProcessRecord() => _differences.AddRange(DifferenceObject);

    protected override void EndProcessing()
    {
        PropertyExpression[] keys = PropertyExpression.Parse(Property);
        var comparer = new KeyComparer(new bool[Math.Max(keys.Length, 1)], !CaseSensitive);
        var unmatched = new List<PSObject>(ReferenceObject);
        var added = new List<PSObject>();
        foreach (PSObject item in _differences)
        {
            object?[] key = SortObjectCommand.Key(keys, item);
            int match = unmatched.FindIndex(other => comparer.Equals(key, SortObjectCommand.Key(keys, other)));
            if (match < 0)
            {
                added.Add(item);
                continue;
            }
            unmatched.RemoveAt(match);
            if (IncludeEqual)
            {
                Write(item, "==");
            }
        }
        if (ExcludeDifferent)
        {
            return;
        }
        added.ForEach(item => Write(item, "=>"));
        unmatched.ForEach(item => Write(item, "<="));
    }

    private void Write(PSObject item, string side)
    {
        var result = new PSObject();
        if (Property is null)
        {
            result.Properties.Add(new PSNoteProperty("InputObject", item));
        }
        else
        {
            foreach (KeyValuePair<string, object?> value in
                PropertyExpression.Parse(Property).SelectMany(property => property.Values(item)))
            {
                result.Properties.Add(new PSNoteProperty(value.Key, value.Value));
            }
        }
        result.Properties.Add(new PSNoteProperty("SideIndicator", side));
        WriteObject(result);
    }
}
