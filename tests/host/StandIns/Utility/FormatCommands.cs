// Format-Table, Format-List, Out-String and Out-File over the engine's own formatter: the
// engine's package has the machinery (and Out-Default), only these front ends are missing.

using System;
using System.IO;
using System.Management.Automation;
using System.Text;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Format, "Table")]
public sealed class FormatTableCommand : OuterFormatTableBase
{
    public FormatTableCommand() => EngineInternals.SetShape(this, "Table");
}

[Cmdlet(VerbsCommon.Format, "List")]
public sealed class FormatListCommand : OuterFormatTableAndListBase
{
    public FormatListCommand() => EngineInternals.SetShape(this, "List");
}

[Cmdlet(VerbsData.Out, "String", DefaultParameterSetName = "NoNewLineFormatting")]
public sealed class OutStringCommand : FrontEndCommandBase
{
    private readonly StringWriter _text = new();

    [Parameter]
    public SwitchParameter Stream { get; set; }

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter, ValidateRange(2, int.MaxValue)]
    public int? Width { get; set; }

    protected override void BeginProcessing()
    {
        EngineInternals.SetOutput(this, _text, Width ?? FormattedOutput.Width(Host));
        base.BeginProcessing();
    }

    protected override void EndProcessing()
    {
        base.EndProcessing();
        string text = _text.ToString();
        if (!Stream)
        {
            WriteObject(NoNewline ? text.Replace(Environment.NewLine, "") : text);
            return;
        }
        using var lines = new StringReader(text);
        while (lines.ReadLine() is string line)
        {
            WriteObject(line);
        }
    }
}

[Cmdlet(VerbsData.Out, "File", DefaultParameterSetName = "ByPath")]
public sealed class OutFileCommand : FrontEndCommandBase
{
    private StreamWriter? _file;

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "ByPath"), Alias("Path")]
    public string? FilePath { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "ByLiteralPath"), Alias("PSPath", "LP")]
    public string? LiteralPath { get; set; }

    [Parameter(Position = 1)]
    public string Encoding { get; set; } = "utf8NoBOM";

    [Parameter]
    public SwitchParameter Append { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter, ValidateRange(2, int.MaxValue)]
    public int? Width { get; set; }

    protected override void BeginProcessing()
    {
        string path = GetUnresolvedProviderPathFromPSPath(FilePath ?? LiteralPath!);
        FileMode mode = Append ? FileMode.Append : NoClobber ? FileMode.CreateNew : FileMode.Create;
        _file = new StreamWriter(new FileStream(path, mode), TextEncoding.Parse(Encoding));
        if (NoNewline)
        {
            _file.NewLine = "";
        }
        EngineInternals.SetOutput(this, _file, Width ?? FormattedOutput.Width(Host));
        base.BeginProcessing();
    }

    protected override void InternalDispose()
    {
        base.InternalDispose();
        _file?.Dispose();
    }
}

internal static class FormattedOutput
{
    /// <summary>The columns of the host, or 120 where it has none.</summary>
    public static int Width(System.Management.Automation.Host.PSHost host)
    {
        try
        {
            int width = host.UI?.RawUI?.BufferSize.Width ?? 0;
            return width > 0 ? width : 120;
        }
        catch (Exception exception) when (exception is NotImplementedException
            or InvalidOperationException or PSNotSupportedException or PSNotImplementedException)
        {
            return 120;
        }
    }
}

internal static class TextEncoding
{
    /// <summary>The encodings that -Encoding names; UTF-8 without a mark is the default.</summary>
    public static Encoding Parse(string name) => name.ToLowerInvariant() switch
    {
        "utf8bom" => new UTF8Encoding(encoderShouldEmitUTF8Identifier: true),
        "ascii" => Encoding.ASCII,
        "unicode" => Encoding.Unicode,
        "bigendianunicode" => Encoding.BigEndianUnicode,
        "utf32" => Encoding.UTF32,
        _ => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
    };
}
