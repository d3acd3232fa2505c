// Get-Item, Get-ChildItem, New-Item, Remove-Item, Get-Content, Set-Content and Add-Content over
// the session's providers.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Provider;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Item", DefaultParameterSetName = "Path")]
public sealed class GetItemCommand : PathCommandBase
{
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() => ForEachPath(path => WriteObject(
        InvokeProvider.Item.Get(new[] { path }, Force, IsLiteral), enumerateCollection: true));
}

[Cmdlet(VerbsCommon.Get, "ChildItem", DefaultParameterSetName = "Items")]
public sealed class GetChildItemCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string[] Path { get; set; } = { "." };

    [Parameter(ValueFromPipelineByPropertyName = true), Alias("PSPath", "LP")]
    public string[]? LiteralPath { get; set; }

    [Parameter(Position = 1)]
    public string? Filter { get; set; }

    [Parameter, Alias("s")]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter, Alias("ad")]
    public SwitchParameter Directory { get; set; }

    [Parameter, Alias("af")]
    public SwitchParameter File { get; set; }

    [Parameter]
    public SwitchParameter Name { get; set; }

    protected override void ProcessRecord()
    {
        IEnumerable<PSObject> children = InvokeProvider.ChildItem.Get(
            LiteralPath ?? Path, Recurse, uint.MaxValue, Force, LiteralPath is not null);
        WildcardPattern? filter = Filter is null ? null : WildcardPattern.Get(Filter, WildcardOptions.IgnoreCase);
        foreach (PSObject child in children)
        {
            bool container = child.Properties["PSIsContainer"]?.Value is true;
            string? name = child.Properties["PSChildName"]?.Value as string;
            if ((Directory && !container) || (File && container) || filter?.IsMatch(name) == false)
            {
                continue;
            }
            WriteObject(Name ? name : child);
        }
    }
}

[Cmdlet(VerbsCommon.New, "Item")]
public sealed class NewItemCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    public string[] Path { get; set; } = Array.Empty<string>();

    [Parameter]
    public string Name { get; set; } = "";

    [Parameter, Alias("Type")]
    public string ItemType { get; set; } = "";

    [Parameter(ValueFromPipeline = true), Alias("Target")]
    public object? Value { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() => WriteObject(
        InvokeProvider.Item.New(Path, Name, ItemType, Value, Force), enumerateCollection: true);
}

[Cmdlet(VerbsCommon.Remove, "Item", DefaultParameterSetName = "Path")]
public sealed class RemoveItemCommand : PathCommandBase
{
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() =>
        ForEachPath(path => InvokeProvider.Item.Remove(new[] { path }, Recurse, Force, IsLiteral));
}

[Cmdlet(VerbsCommon.Get, "Content", DefaultParameterSetName = "Path")]
public sealed class GetContentCommand : PathCommandBase
{
    [Parameter]
    public SwitchParameter Raw { get; set; }

    [Parameter, Alias("First", "Head")]
    public int TotalCount { get; set; } = -1;

    [Parameter, Alias("Last")]
    public int Tail { get; set; } = -1;

    [Parameter]
    public string Encoding { get; set; } = "utf8NoBOM";

    protected override void ProcessRecord() => ForEachPath(path =>
    {
        string fullPath = SessionState.Path.GetUnresolvedProviderPathFromPSPath(
            path, out ProviderInfo provider, out _);
        if (Raw && provider.Name == "FileSystem" && System.IO.File.Exists(fullPath))
        {
            WriteObject(System.IO.File.ReadAllText(fullPath, TextEncoding.Parse(Encoding)));
            return;
        }
        foreach (IContentReader reader in InvokeProvider.Content.GetReader(new[] { path }, true, IsLiteral))
        {
            using (reader)
            {
                Write(reader);
            }
        }
    });

    private void Write(IContentReader reader)
    {
        IEnumerable<object> lines = Lines(reader);
        if (Tail >= 0)
        {
            lines = lines.TakeLast(Tail);
        }
        else if (TotalCount >= 0)
        {
            lines = lines.Take(TotalCount);
        }
        foreach (object line in lines)
        {
            WriteObject(line);
        }
    }

    private static IEnumerable<object> Lines(IContentReader reader)
    {
        while (true)
        {
            IList block = reader.Read(1);
            if (block.Count == 0)
            {
                yield break;
            }
            foreach (object line in block)
            {
                yield return line;
            }
        }
    }
}

/// <summary>Set-Content and Add-Content differ in where a file's writing begins.</summary>
public abstract class WriteContentCommandBase : PSCmdlet
{
    private System.IO.StreamWriter? _file;

    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("LiteralPath", "PSPath")]
    public string Path { get; set; } = "";

    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [AllowNull, AllowEmptyCollection]
    public object?[]? Value { get; set; }

    [Parameter]
    public string Encoding { get; set; } = "utf8NoBOM";

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected abstract System.IO.FileMode Mode { get; }

    protected override void ProcessRecord()
    {
        _file ??= new System.IO.StreamWriter(
            new System.IO.FileStream(GetUnresolvedProviderPathFromPSPath(Path), Mode),
            TextEncoding.Parse(Encoding));
        foreach (object? value in Value ?? Array.Empty<object?>())
        {
            _file.Write(LanguagePrimitives.ConvertTo<string>(value));
            _file.Write(NoNewline ? "" : Environment.NewLine);
        }
    }

    protected override void EndProcessing() => Close();

    protected override void StopProcessing() => Close();

    private void Close() => _file?.Dispose();
}

[Cmdlet(VerbsCommon.Set, "Content")]
public sealed class SetContentCommand : WriteContentCommandBase
{
    protected override System.IO.FileMode Mode => System.IO.FileMode.Create;
}

[Cmdlet(VerbsCommon.Add, "Content")]
public sealed class AddContentCommand : WriteContentCommandBase
{
    protected override System.IO.FileMode Mode => System.IO.FileMode.Append;
}
