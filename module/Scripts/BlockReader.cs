// Reads a script block's syntax tree once: what has to be replaced in its text before it can run in another runspace, and
// what it needs there. Knows no runspace and runs nothing. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts;

/// <summary>What <see cref="BlockReader"/> found. Offsets count from the beginning of the file or text.</summary>
internal sealed class BlockContents
{
    /// <summary>Variables whose names have to be replaced: $using: and $PSScriptRoot.</summary>
    internal List<IScriptExtent> Replaced { get; } = new List<IScriptExtent>();

    /// <summary>Where the command of this module is named with its module, which workers have not imported.</summary>
    internal List<IScriptExtent> Qualified { get; } = new List<IScriptExtent>();

    /// <summary>The paths after $using:, as written, each once.</summary>
    internal HashSet<string> Using { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The block names $PSScriptRoot or $PSCommandPath.</summary>
    internal bool HasFile { get; set; }

    /// <summary>The block names $_ or $PSItem.</summary>
    internal bool HasItem { get; set; }

    /// <summary>The block names $Data, and not as a variable of its own.</summary>
    internal bool HasData { get; set; }

    /// <summary>Nothing in the block can import a module or format output, so its runspaces may share what that changes.</summary>
    internal bool IsLean { get; set; } = true;

    /// <summary>The block calls no command of a module.</summary>
    internal bool IsCore { get; set; } = true;
}

internal sealed class BlockReader : AstVisitor
{
    // Cmdlets that neither import modules, nor change types or formats, nor format output; their own modules have no types.
    private static readonly HashSet<string> LeanCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Start-Sleep", "sleep", "Write-Output", "echo", "write", "Write-Error", "Write-Warning", "Write-Verbose", "Write-Debug",
        "Write-Information", "Write-Host", "Write-Progress", "ForEach-Object", "foreach", "%", "Where-Object", "where", "?",
        "Select-Object", "select", "Sort-Object", "sort", "Measure-Object", "measure", "Get-Date", "Get-Random", "Out-Null",
        "Test-Connection", "Test-Path", "Join-Path", "Split-Path",
    };

    // Those of them that belong to no module.
    private static readonly HashSet<string> CoreCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "ForEach-Object", "foreach", "%", "Where-Object", "where", "?", "Out-Null",
    };

    // Commands that evaluate $using: in their block themselves, in the scope that calls them.
    private static readonly HashSet<string> UsingCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Invoke-Command", "icm", "Start-Job", "sajb", "Start-ThreadJob", ScriptText.CommandName,
    };

    private static readonly HashSet<string> ForEachCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "ForEach-Object", "foreach", "%",
    };

    // Types that lead to code which this reader cannot see.
    private static readonly HashSet<string> OpaqueTypes = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "scriptblock", "powershell", "runspacefactory", "runspace",
        "System.Management.Automation.ScriptBlock", "System.Management.Automation.PowerShell",
    };

    private readonly BlockContents contents = new BlockContents();
    private bool ownsData;

    internal static BlockContents Read(ScriptBlockAst block)
    {
        var reader = new BlockReader();
        block.Visit(reader);
        reader.contents.HasData &= !reader.ownsData;
        return reader.contents;
    }

    public override AstVisitAction VisitUsingExpression(UsingExpressionAst usingExpressionAst)
    {
        VariableExpressionAst variable = UsingExpressionAst.ExtractUsingVariable(usingExpressionAst);
        contents.Replaced.Add(variable.Extent);
        contents.Using.Add(variable.VariablePath.UserPath);
        return AstVisitAction.SkipChildren;
    }

    public override AstVisitAction VisitVariableExpression(VariableExpressionAst variableExpressionAst)
    {
        string path = variableExpressionAst.VariablePath.UserPath;
        if (ScriptText.UsingPath(path) is string marked)
        {
            // The block came as a value from the text of an outer call.
            contents.Using.Add(marked);
        }
        switch (path.ToUpperInvariant())
        {
            case "_":
            case "PSITEM":
                contents.HasItem = true;
                break;
            case "DATA":
            case "GLOBAL:DATA":
                contents.HasData = true;
                break;
            case "PSSCRIPTROOT":
            case "PSCOMMANDPATH":
                contents.HasFile = true;
                contents.Replaced.Add(variableExpressionAst.Extent);
                break;
            case "EXECUTIONCONTEXT":
                contents.IsLean = false;
                break;
        }
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitAssignmentStatement(AssignmentStatementAst assignmentStatementAst)
    {
        ExpressionAst? target = (assignmentStatementAst.Left as AttributedExpressionAst)?.Child ?? assignmentStatementAst.Left;
        if (assignmentStatementAst.Operator == TokenKind.Equals && target is VariableExpressionAst variable)
        {
            Own(variable);
        }
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitForEachStatement(ForEachStatementAst forEachStatementAst)
    {
        Own(forEachStatementAst.Variable);
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitParameter(ParameterAst parameterAst)
    {
        Own(parameterAst.Name);
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitScriptBlockExpression(ScriptBlockExpressionAst scriptBlockExpressionAst) =>
        CommandOf(scriptBlockExpressionAst) is CommandAst command && EvaluatesUsing(command)
            ? AstVisitAction.SkipChildren
            : AstVisitAction.Continue;

    public override AstVisitAction VisitCommand(CommandAst commandAst)
    {
        string name = commandAst.GetCommandName();
        bool isLean = name is null
            ? commandAst.CommandElements[0] is ScriptBlockExpressionAst
            : LeanCommands.Contains(name);
        contents.IsLean &= isLean;
        contents.IsCore &= isLean && (name is null || CoreCommands.Contains(name));
        if (ScriptText.QualifiedCommand.Equals(name, StringComparison.OrdinalIgnoreCase))
        {
            contents.Qualified.Add(commandAst.CommandElements[0].Extent);
        }
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitTypeExpression(TypeExpressionAst typeExpressionAst)
    {
        contents.IsLean &= !OpaqueTypes.Contains(typeExpressionAst.TypeName.FullName);
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitTypeConstraint(TypeConstraintAst typeConstraintAst)
    {
        contents.IsLean &= !OpaqueTypes.Contains(typeConstraintAst.TypeName.FullName);
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitConvertExpression(ConvertExpressionAst convertExpressionAst)
    {
        contents.IsLean &= !OpaqueTypes.Contains(convertExpressionAst.Type.TypeName.FullName);
        return AstVisitAction.Continue;
    }

    // Writing to a file formats what it writes.
    public override AstVisitAction VisitFileRedirection(FileRedirectionAst redirectionAst)
    {
        contents.IsLean = false;
        return AstVisitAction.Continue;
    }

    /// <summary>The command that gets the block as an argument: by position, by name with a colon, or in parentheses.</summary>
    private static CommandAst? CommandOf(ScriptBlockExpressionAst block)
    {
        Ast outer = block.Parent;
        while (outer is CommandExpressionAst or PipelineAst or ParenExpressionAst or CommandParameterAst)
        {
            outer = outer.Parent;
        }
        return outer as CommandAst;
    }

    private void Own(VariableExpressionAst variable) =>
        ownsData |= variable.VariablePath.UserPath.Equals(ScriptText.DataVariable, StringComparison.OrdinalIgnoreCase);

    private static bool EvaluatesUsing(CommandAst command)
    {
        string? name = command.GetCommandName();
        if (name is null)
        {
            return false;
        }
        name = name.Substring(name.LastIndexOf('\\') + 1);
        if (UsingCommands.Contains(name))
        {
            return true;
        }
        if (!ForEachCommands.Contains(name))
        {
            return false;
        }
        foreach (CommandElementAst element in command.CommandElements)
        {
            // -Parallel may be shortened to what no other parameter begins with
            if (element is CommandParameterAst parameter
                && parameter.ParameterName.Length >= 2
                && "Parallel".StartsWith(parameter.ParameterName, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }
}
