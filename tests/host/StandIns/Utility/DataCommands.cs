// Text in and out: ConvertTo-Json, ConvertFrom-Json, the CSV cmdlets, Import-PowerShellDataFile.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.ConvertTo, "Json")]
public sealed class ConvertToJsonCommand : PSCmdlet
{
    private readonly List<object?> _items = new();

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true), AllowNull]
    public object? InputObject { get; set; }

    [Parameter, ValidateRange(0, 100)]
    public int Depth { get; set; } = 2;

    [Parameter]
    public SwitchParameter Compress { get; set; }

    [Parameter]
    public SwitchParameter EnumsAsStrings { get; set; }

    [Parameter]
    public SwitchParameter AsArray { get; set; }

    protected override void ProcessRecord() => _items.Add(InputObject);

    protected override void EndProcessing()
    {
        object? value = _items.Count == 1 && !AsArray ? _items[0] : _items;
        JToken token = Token(value, Depth);
        WriteObject(token.ToString(Compress ? Formatting.None : Formatting.Indented));
    }

    private JToken Token(object? value, int depth)
    {
        object? plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (plain)
        {
            case null or DBNull:
                return JValue.CreateNull();
            case string or bool or DateTime or DateTimeOffset or Guid or Uri or decimal:
                return new JValue(plain);
            case char or Version or Type:
                return new JValue(plain.ToString());
            case Enum when EnumsAsStrings:
                return new JValue(plain.ToString());
            case Enum:
                return new JValue(Convert.ToInt64(plain, CultureInfo.InvariantCulture));
            case SwitchParameter present:
                return new JValue((bool)present);
        }
        if (plain.GetType().IsPrimitive)
        {
            return new JValue(plain);
        }
        if (depth < 0)
        {
            return new JValue(LanguagePrimitives.ConvertTo<string>(value));
        }
        if (plain is IDictionary dictionary)
        {
            var members = new JObject();
            foreach (DictionaryEntry entry in dictionary)
            {
                members[entry.Key.ToString()!] = Token(entry.Value, depth - 1);
            }
            return members;
        }
        if (plain is IEnumerable items)
        {
            return new JArray(items.Cast<object?>().Select(item => Token(item, depth - 1)));
        }
        var properties = new JObject();
        foreach (PSPropertyInfo property in PSObject.AsPSObject(value!).Properties.Where(p => p.IsGettable))
        {
            properties[property.Name] = Token(ValueOrNull(property), depth - 1);
        }
        return properties;
    }

    private static object? ValueOrNull(PSPropertyInfo property)
    {
        try
        {
            return property.Value;
        }
        catch (GetValueException)
        {
            return null;
        }
    }
}

[Cmdlet(VerbsData.ConvertFrom, "Json")]
public sealed class ConvertFromJsonCommand : PSCmdlet
{
    private readonly StringBuilder _text = new();

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true), AllowEmptyString]
    public string InputObject { get; set; } = "";

    [Parameter]
    public SwitchParameter AsHashtable { get; set; }

    [Parameter]
    public SwitchParameter NoEnumerate { get; set; }

    protected override void ProcessRecord() => _text.AppendLine(InputObject);

    protected override void EndProcessing()
    {
        try
        {
            WriteObject(Value(JToken.Parse(_text.ToString())), enumerateCollection: !NoEnumerate);
        }
        catch (JsonReaderException exception)
        {
            ThrowTerminatingError(new ErrorRecord(
                new ArgumentException("Conversion from JSON failed with error: " + exception.Message, exception),
                "System.ArgumentException",
                ErrorCategory.NotSpecified,
                null));
        }
    }

    private object? Value(JToken token)
    {
        switch (token)
        {
            case JArray array:
                return array.Select(Value).ToArray();
            case JObject members when AsHashtable:
                var table = new Hashtable();
                foreach (JProperty member in members.Properties())
                {
                    table[member.Name] = Value(member.Value);
                }
                return table;
            case JObject members:
                var item = new PSObject();
                foreach (JProperty member in members.Properties())
                {
                    item.Properties.Add(new PSNoteProperty(member.Name, Value(member.Value)));
                }
                return item;
            default:
                return ((JValue)token).Value;
        }
    }
}

/// <summary>CSV text by its two directions; quotes follow RFC 4180.</summary>
internal static class Csv
{
    public static string Row(IEnumerable<string?> fields, char delimiter) =>
        string.Join(delimiter, fields.Select(field => field is null ? "" : "\"" + field.Replace("\"", "\"\"") + "\""));

    public static IEnumerable<string> Lines(IEnumerable<PSObject> items, char delimiter)
    {
        string[]? header = null;
        foreach (PSObject item in items)
        {
            PSObject row = item.BaseObject is IDictionary dictionary ? FromDictionary(dictionary) : item;
            if (header is null)
            {
                header = row.Properties.Select(property => property.Name).ToArray();
                yield return Row(header, delimiter);
            }
            yield return Row(header.Select(name => Text(row.Properties[name]?.Value)), delimiter);
        }
    }

    public static IEnumerable<PSObject> Objects(TextReader text, char delimiter, string[]? header)
    {
        while (Fields(text, delimiter) is List<string> fields)
        {
            if (header is null)
            {
                header = fields.ToArray();
                continue;
            }
            var item = new PSObject();
            for (int i = 0; i < header.Length; i++)
            {
                item.Properties.Add(new PSNoteProperty(header[i], i < fields.Count ? fields[i] : null));
            }
            yield return item;
        }
    }

    private static PSObject FromDictionary(IDictionary dictionary)
    {
        var row = new PSObject();
        foreach (DictionaryEntry entry in dictionary)
        {
            row.Properties.Add(new PSNoteProperty(entry.Key.ToString(), entry.Value));
        }
        return row;
    }

    private static string? Text(object? value) =>
        value is null ? null : LanguagePrimitives.ConvertTo<string>(value);

    /// <summary>The next record, which may span lines inside quotes; null at the end.</summary>
    private static List<string>? Fields(TextReader text, char delimiter)
    {
        if (text.Peek() < 0)
        {
            return null;
        }
        var fields = new List<string>();
        var field = new StringBuilder();
        bool quoted = false;
        while (true)
        {
            int next = text.Read();
            if (quoted)
            {
                if (next < 0 || (next == '"' && text.Peek() != '"'))
                {
                    quoted = false;
                    continue;
                }
                if (next == '"')
                {
                    text.Read();
                }
                field.Append((char)next);
            }
            else if (next == '"' && field.Length == 0)
            {
                quoted = true;
            }
            else if (next == delimiter)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else if (next < 0 || next == '\n')
            {
                fields.Add(field.ToString());
                return fields;
            }
            else if (next != '\r')
            {
                field.Append((char)next);
            }
        }
    }
}

[Cmdlet(VerbsData.ConvertTo, "Csv")]
public sealed class ConvertToCsvCommand : PSCmdlet
{
    private readonly List<PSObject> _items = new();

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public PSObject InputObject { get; set; } = null!;

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public SwitchParameter NoTypeInformation { get; set; }

    protected override void ProcessRecord() => _items.Add(InputObject);

    protected override void EndProcessing() => WriteObject(Csv.Lines(_items, Delimiter), true);
}

[Cmdlet(VerbsData.Export, "Csv")]
public sealed class ExportCsvCommand : PSCmdlet
{
    private readonly List<PSObject> _items = new();

    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public PSObject InputObject { get; set; } = null!;

    [Parameter(Mandatory = true, Position = 0), Alias("LiteralPath")]
    public string Path { get; set; } = "";

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public SwitchParameter NoTypeInformation { get; set; }

    protected override void ProcessRecord() => _items.Add(InputObject);

    protected override void EndProcessing() =>
        File.WriteAllLines(GetUnresolvedProviderPathFromPSPath(Path), Csv.Lines(_items, Delimiter));
}

[Cmdlet(VerbsData.ConvertFrom, "Csv")]
public sealed class ConvertFromCsvCommand : PSCmdlet
{
    private readonly StringBuilder _text = new();

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true), AllowEmptyString]
    public string[] InputObject { get; set; } = Array.Empty<string>();

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public string[]? Header { get; set; }

    protected override void ProcessRecord() => Array.ForEach(InputObject, line => _text.Append(line).Append('\n'));

    protected override void EndProcessing()
    {
        using var text = new StringReader(_text.ToString());
        WriteObject(Csv.Objects(text, Delimiter, Header), enumerateCollection: true);
    }
}

[Cmdlet(VerbsData.Import, "Csv")]
public sealed class ImportCsvCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true), Alias("LiteralPath")]
    public string[] Path { get; set; } = Array.Empty<string>();

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public string[]? Header { get; set; }

    protected override void ProcessRecord()
    {
        foreach (string path in Path)
        {
            using var text = new StreamReader(GetUnresolvedProviderPathFromPSPath(path));
            WriteObject(Csv.Objects(text, Delimiter, Header), enumerateCollection: true);
        }
    }
}

[Cmdlet(VerbsData.Import, "PowerShellDataFile")]
public sealed class ImportPowerShellDataFileCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0), Alias("LiteralPath")]
    public string[] Path { get; set; } = Array.Empty<string>();

    protected override void ProcessRecord()
    {
        foreach (string path in Path)
        {
            string fullPath = GetUnresolvedProviderPathFromPSPath(path);
            ScriptBlockAst file = Parser.ParseFile(fullPath, out _, out ParseError[] errors);
            Ast? table = errors.Length == 0 ? file.Find(ast => ast is HashtableAst, searchNestedScriptBlocks: false) : null;
            if (table is null)
            {
                WriteError(new ErrorRecord(
                    new InvalidOperationException($"The file '{path}' could not be parsed as a PowerShell Data File."),
                    "CouldNotParseAsPowerShellDataFile",
                    ErrorCategory.InvalidData,
                    path));
                continue;
            }
            WriteObject(table.SafeGetValue());
        }
    }
}
