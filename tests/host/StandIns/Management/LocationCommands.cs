// Get-, Set-, Push- and Pop-Location; Join-Path, Split-Path, Resolve-Path, Convert-Path and
// Test-Path: names of places, over the session's providers.

using System;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>-Path with wildcards or -LiteralPath without, as most of these cmdlets take.</summary>
public abstract class PathCommandBase : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Path", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string[] Path { get; set; } = Array.Empty<string>();

    [Parameter(Mandatory = true, ParameterSetName = "LiteralPath", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string[]? LiteralPath { get; set; }

    protected bool IsLiteral => LiteralPath is not null;

    protected string[] Paths => LiteralPath ?? Path;

    /// <summary>Does the work for one path; what a provider finds wrong becomes an error, and the rest goes on.</summary>
    protected void ForEachPath(Action<string> work)
    {
        foreach (string path in Paths)
        {
            try
            {
                work(path);
            }
            catch (Exception exception) when (exception is ItemNotFoundException
                or System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or PSNotSupportedException)
            {
                WriteError(new ErrorRecord(((IContainsErrorRecord)exception).ErrorRecord, exception));
            }
        }
    }
}

[Cmdlet(VerbsCommon.Get, "Location")]
public sealed class GetLocationCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(SessionState.Path.CurrentLocation);
}

[Cmdlet(VerbsCommon.Set, "Location")]
public sealed class SetLocationCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    public string? Path { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true), Alias("PSPath", "LP")]
    public string? LiteralPath { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        string target = LiteralPath is not null
            ? WildcardPattern.Escape(LiteralPath)
            : Path ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        PathInfo location = SessionState.Path.SetLocation(target);
        if (PassThru)
        {
            WriteObject(location);
        }
    }
}

[Cmdlet(VerbsCommon.Push, "Location")]
public sealed class PushLocationCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true), Alias("LiteralPath")]
    public string? Path { get; set; }

    protected override void ProcessRecord()
    {
        SessionState.Path.PushCurrentLocation("");
        if (Path is not null)
        {
            SessionState.Path.SetLocation(Path);
        }
    }
}

[Cmdlet(VerbsCommon.Pop, "Location")]
public sealed class PopLocationCommand : PSCmdlet
{
    protected override void EndProcessing() => SessionState.Path.PopLocation("");
}

[Cmdlet(VerbsCommon.Join, "Path")]
public sealed class JoinPathCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string[] Path { get; set; } = Array.Empty<string>();

    [Parameter(Mandatory = true, Position = 1), AllowNull, AllowEmptyString]
    public string ChildPath { get; set; } = "";

    [Parameter(Position = 2, ValueFromRemainingArguments = true)]
    public string[] AdditionalChildPath { get; set; } = Array.Empty<string>();

    protected override void ProcessRecord()
    {
        foreach (string path in Path)
        {
            WriteObject(AdditionalChildPath.Prepend(ChildPath).Aggregate(path, SessionState.Path.Combine));
        }
    }
}

[Cmdlet(VerbsCommon.Split, "Path", DefaultParameterSetName = "Parent")]
public sealed class SplitPathCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true), Alias("LiteralPath", "PSPath")]
    public string[] Path { get; set; } = Array.Empty<string>();

    [Parameter(ParameterSetName = "Parent")]
    public SwitchParameter Parent { get; set; }

    [Parameter(ParameterSetName = "Leaf")]
    public SwitchParameter Leaf { get; set; }

    [Parameter(ParameterSetName = "LeafBase")]
    public SwitchParameter LeafBase { get; set; }

    [Parameter(ParameterSetName = "Extension")]
    public SwitchParameter Extension { get; set; }

    [Parameter(ParameterSetName = "IsAbsolute")]
    public SwitchParameter IsAbsolute { get; set; }

    protected override void ProcessRecord()
    {
        foreach (string path in Path)
        {
            WriteObject(ParameterSetName switch
            {
                "Leaf" => SessionState.Path.ParseChildName(path),
                "LeafBase" => System.IO.Path.GetFileNameWithoutExtension(path),
                "Extension" => System.IO.Path.GetExtension(path),
                "IsAbsolute" => SessionState.Path.IsPSAbsolute(path, out _) || System.IO.Path.IsPathRooted(path),
                _ => SessionState.Path.ParseParent(path, ""),
            });
        }
    }
}

[Cmdlet(VerbsDiagnostic.Resolve, "Path", DefaultParameterSetName = "Path")]
public sealed class ResolvePathCommand : PathCommandBase
{
    protected override void ProcessRecord() => ForEachPath(path => WriteObject(
        SessionState.Path.GetResolvedPSPathFromPSPath(IsLiteral ? WildcardPattern.Escape(path) : path), true));
}

[Cmdlet(VerbsData.Convert, "Path", DefaultParameterSetName = "Path")]
public sealed class ConvertPathCommand : PathCommandBase
{
    protected override void ProcessRecord() => ForEachPath(path => WriteObject(
        SessionState.Path.GetResolvedProviderPathFromPSPath(IsLiteral ? WildcardPattern.Escape(path) : path, out _), true));
}

public enum TestPathType
{
    Any,
    Container,
    Leaf,
}

[Cmdlet(VerbsDiagnostic.Test, "Path", DefaultParameterSetName = "Path")]
public sealed class TestPathCommand : PathCommandBase
{
    [Parameter, Alias("Type")]
    public TestPathType PathType { get; set; }

    protected override void ProcessRecord() => Array.ForEach(Paths, path => WriteObject(Exists(path)));

    private bool Exists(string path)
    {
        try
        {
            if (!InvokeProvider.Item.Exists(path, force: true, literalPath: IsLiteral))
            {
                return false;
            }
            string name = IsLiteral ? WildcardPattern.Escape(path) : path;
            return PathType == TestPathType.Any
                || InvokeProvider.Item.IsContainer(name) == (PathType == TestPathType.Container);
        }
        catch (SessionStateException)
        {
            return false;
        }
    }
}
