// Reads a script block's syntax tree once: what the block needs where it runs, and what it may do there. Knows no runspace and
// runs nothing. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

/// <summary>What <see cref="BlockReader"/> found.</summary>
internal sealed class BlockContents
{
    /// <summary>
    /// Every $using: whose value the block may ask for, and whether it must be there: the job itself reads it. Else it stands in a block
    /// that is handed on, and means perhaps another session.
    /// </summary>
    internal List<(UsingExpressionAst Expression, bool IsRequired)> Usings { get; } = new List<(UsingExpressionAst, bool)>();

    /// <summary>The block names $_ or $PSItem, and not only where that is a value of something inside it.</summary>
    internal bool HasItem { get; set; }

    /// <summary>Something in the block puts $_ back to what it finds in its scope: a catch block, a trap, a switch.</summary>
    internal bool RestoresItem { get; set; }

    /// <summary>The block names $Data, and not as a variable of its own.</summary>
    internal bool HasData => NamesData && !OwnsData;

    /// <summary>The block reads or sets entries of a $Data that it never sets itself.</summary>
    internal bool HasDataEntries => NamesDataEntries && !OwnsData;

    /// <summary>The block sets a $Data of its own.</summary>
    internal bool OwnsData { get; set; }

    internal bool NamesData { get; set; }

    internal bool NamesDataEntries { get; set; }

    /// <summary>The block names $args.</summary>
    internal bool HasArguments { get; set; }

    /// <summary>The block reads one of $args by its number.</summary>
    internal bool IndexesArguments { get; set; }

    /// <summary>The block names a variable that an advanced one has in another way than a simple one.</summary>
    internal bool NamesItsCall { get; set; }

    /// <summary>The block names $PSBoundParameters, so it can have no parameters but its own.</summary>
    internal bool HasBoundParameters { get; set; }

    /// <summary>Nothing in the block can import a module, format output or run code that is not seen here.</summary>
    internal bool IsLean { get; set; } = true;

    /// <summary>The block names a variable with its scope.</summary>
    internal bool NamesScope { get; set; }

    /// <summary>The block calls no command of a module.</summary>
    internal bool IsCore { get; set; } = true;
}

// AstVisitor2: the older one does not go into classes.
internal sealed class BlockReader : AstVisitor2
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

    private static readonly HashSet<string> ForEachCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "ForEach-Object", "foreach", "%",
    };

    // Commands whose blocks get a $_ of their own.
    private static readonly HashSet<string> ItemCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Where-Object", "where", "?", "Sort-Object", "sort", "Group-Object", "group", "Select-Object", "select",
        "Measure-Object", "measure", "Format-Table", "ft", "Format-List", "fl",
    };

    private static readonly HashSet<string> VariableCommands = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Set-Variable", "sv", "set", "New-Variable", "nv",
    };

    private static readonly HashSet<string> VariableAliases = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "ov", "ev", "wv", "iv", "pv",
    };

    private static readonly string[] VariableParameters =
    {
        "OutVariable", "ErrorVariable", "WarningVariable", "InformationVariable", "PipelineVariable",
    };

    // Types that lead to code which this reader cannot see.
    private static readonly HashSet<string> OpaqueTypes = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "scriptblock", "powershell", "runspacefactory", "runspace",
        "System.Management.Automation.ScriptBlock", "System.Management.Automation.PowerShell",
    };

    private readonly BlockContents contents = new BlockContents();
    // Blocks around the current place that something else may run.
    private int handedOn;
    // Parts around it in which $_ is another value.
    private int ownItem;

    internal static BlockContents Read(ScriptBlock block)
    {
        var reader = new BlockReader();
        block.Ast.Visit(reader);
        return reader.contents;
    }

    public override AstVisitAction VisitUsingExpression(UsingExpressionAst usingExpressionAst)
    {
        contents.Usings.Add((usingExpressionAst, handedOn == 0));
        return AstVisitAction.SkipChildren;
    }

    public override AstVisitAction VisitVariableExpression(VariableExpressionAst variableExpressionAst)
    {
        string path = variableExpressionAst.VariablePath.UserPath;
        contents.NamesScope |= variableExpressionAst.VariablePath.IsGlobal || variableExpressionAst.VariablePath.IsScript;
        switch (path.ToUpperInvariant())
        {
            case "_":
            case "PSITEM":
                contents.HasItem |= ownItem == 0;
                break;
            case "DATA":
            case "GLOBAL:DATA":
                contents.NamesData = true;
                break;
            case "ARGS":
                contents.HasArguments = true;
                break;
            case "PSBOUNDPARAMETERS":
                contents.HasBoundParameters = true;
                break;
            case "PSCMDLET":
            case "MYINVOCATION":
            case "INPUT":
                contents.NamesItsCall = true;
                break;
            case "EXECUTIONCONTEXT":
                contents.IsLean = false;
                break;
        }
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitAssignmentStatement(AssignmentStatementAst assignmentStatementAst)
    {
        Assign(assignmentStatementAst.Left);
        return AstVisitAction.Continue;
    }

    // [type]$data, ($data), $a, $data and what is made of these.
    private void Assign(Ast? target)
    {
        switch (target)
        {
            case AttributedExpressionAst attributed:
                Assign(attributed.Child);
                break;
            case ParenExpressionAst { Pipeline: PipelineAst pipeline }:
                Assign((pipeline.PipelineElements[0] as CommandExpressionAst)?.Expression);
                break;
            case ArrayLiteralAst list:
                foreach (ExpressionAst element in list.Elements)
                {
                    Assign(element);
                }
                break;
            case VariableExpressionAst variable:
                Own(variable);
                break;
            case MemberExpressionAst { Expression: VariableExpressionAst table }:
                contents.NamesDataEntries |= IsData(table);
                break;
        }
    }

    public override AstVisitAction VisitIndexExpression(IndexExpressionAst indexExpressionAst)
    {
        if (indexExpressionAst.Target is VariableExpressionAst table)
        {
            contents.NamesDataEntries |= IsData(table);
            contents.IndexesArguments |= table.VariablePath.UserPath.Equals("args", StringComparison.OrdinalIgnoreCase);
        }
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitInvokeMemberExpression(InvokeMemberExpressionAst methodCallAst)
    {
        contents.NamesDataEntries |= methodCallAst.Expression is VariableExpressionAst table && IsData(table)
            && methodCallAst.Member is StringConstantExpressionAst { Value: var method } && method.Equals("Add", StringComparison.OrdinalIgnoreCase);
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

    public override AstVisitAction VisitScriptBlockExpression(ScriptBlockExpressionAst scriptBlockExpressionAst)
    {
        CommandAst? command = CommandOf(scriptBlockExpressionAst);
        bool runsHere = command is not null
            && !EvaluatesUsing(command)
            && (command.GetCommandName() is string name ? LeanCommands.Contains(name) : command.CommandElements[0] == scriptBlockExpressionAst);
        int other = runsHere ? 0 : 1;
        handedOn += other;
        ReadItem(HasItemOfItsOwn(scriptBlockExpressionAst), scriptBlockExpressionAst.ScriptBlock);
        handedOn -= other;
        return AstVisitAction.SkipChildren;
    }

    public override AstVisitAction VisitCommand(CommandAst commandAst)
    {
        string name = commandAst.GetCommandName();
        bool isLean = name is null
            ? commandAst.CommandElements[0] is ScriptBlockExpressionAst
            : LeanCommands.Contains(name);
        contents.IsLean &= isLean;
        contents.IsCore &= isLean && (name is null || CoreCommands.Contains(name));
        return AstVisitAction.Continue;
    }

    public override AstVisitAction VisitCatchClause(CatchClauseAst catchClauseAst) =>
        ReadRestoring(catchClauseAst.CatchTypes.Append<Ast>(catchClauseAst.Body).ToArray());

    public override AstVisitAction VisitTrap(TrapStatementAst trapStatementAst) => ReadRestoring(trapStatementAst.TrapType, trapStatementAst.Body);

    public override AstVisitAction VisitSwitchStatement(SwitchStatementAst switchStatementAst)
    {
        switchStatementAst.Condition.Visit(this);
        return ReadRestoring(switchStatementAst.Clauses.SelectMany(clause => new Ast[] { clause.Item1, clause.Item2 }).Append(switchStatementAst.Default).ToArray());
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

    // Writing to a file formats what it writes.
    public override AstVisitAction VisitFileRedirection(FileRedirectionAst redirectionAst)
    {
        contents.IsLean = false;
        return AstVisitAction.Continue;
    }

    /// <summary>The command that gets the block as an argument: by position, by name with a colon, or in parentheses.</summary>
    /// <param name="block">A literal one.</param>
    /// <param name="isInTable">Also in a table, as of a calculated property.</param>
    private static CommandAst? CommandOf(ScriptBlockExpressionAst block, bool isInTable = false)
    {
        Ast outer = block.Parent;
        while (outer is CommandExpressionAst or PipelineAst or ParenExpressionAst or CommandParameterAst || (isInTable && outer is (HashtableAst or ArrayLiteralAst)))
        {
            outer = outer.Parent;
        }
        return outer as CommandAst;
    }

    /// <summary>-OutVariable and its kin: a variable by its name, of the block's own if it has no scope.</summary>
    public override AstVisitAction VisitStringConstantExpression(StringConstantExpressionAst stringConstantExpressionAst)
    {
        string name = stringConstantExpressionAst.Value.TrimStart('+');
        contents.OwnsData |= name.Equals(SessionTemplate.DataVariable, StringComparison.OrdinalIgnoreCase) && NamesVariable(stringConstantExpressionAst);
        // Wherever it stands: it may come to the command by a variable or a table.
        contents.NamesScope |= name.StartsWith("global:", StringComparison.OrdinalIgnoreCase) || name.StartsWith("script:", StringComparison.OrdinalIgnoreCase);
        return AstVisitAction.Continue;
    }

    /// <summary>The text is the name of a variable that its command sets.</summary>
    private static bool NamesVariable(StringConstantExpressionAst text)
    {
        if (text.Parent is CommandParameterAst with)
        {
            return IsVariableParameter(with.ParameterName) || (IsNameParameter(with.ParameterName) && SetsVariable(with.Parent));
        }
        if (text.Parent is not CommandAst command)
        {
            return false;
        }
        int place = command.CommandElements.IndexOf(text);
        return place > 0 && command.CommandElements[place - 1] switch
        {
            CommandParameterAst { Argument: null } before =>
                IsVariableParameter(before.ParameterName) || (IsNameParameter(before.ParameterName) && SetsVariable(command)),
            _ => place == 1 && SetsVariable(command),
        };
    }

    private static bool SetsVariable(Ast command) => (command as CommandAst)?.GetCommandName() is string name && VariableCommands.Contains(name);

    private static bool IsNameParameter(string name) => Shortens(name, "Name");

    /// <summary>A parameter's name, with so many letters at least as tell it from others.</summary>
    private static bool Shortens(string name, string parameter, int letters = 1) =>
        name.Length >= letters && parameter.StartsWith(name, StringComparison.OrdinalIgnoreCase);

    // The common ones may be shortened; other commands have -Variable, -SessionVariable and the like.
    private static bool IsVariableParameter(string name) =>
        name.EndsWith("Variable", StringComparison.OrdinalIgnoreCase)
        || VariableAliases.Contains(name)
        || VariableParameters.Any(parameter => Shortens(name, parameter, letters: 4));

    /// <summary>Reads parts in which $_ is another value, and which put it back.</summary>
    private AstVisitAction ReadRestoring(params Ast?[] parts)
    {
        contents.RestoresItem = true;
        return ReadItem(true, parts);
    }

    /// <summary>Reads parts here, instead of the engine.</summary>
    private AstVisitAction ReadItem(bool isOwn, params Ast?[] parts)
    {
        int other = isOwn ? 1 : 0;
        ownItem += other;
        foreach (Ast? part in parts)
        {
            part?.Visit(this);
        }
        ownItem -= other;
        return AstVisitAction.SkipChildren;
    }

    /// <summary>What runs the block sets $_ for it: a command of the pipe, or a collection's method.</summary>
    private static bool HasItemOfItsOwn(ScriptBlockExpressionAst block)
    {
        if (block.Parent is InvokeMemberExpressionAst { Member: StringConstantExpressionAst method })
        {
            return method.Value.Equals("ForEach", StringComparison.OrdinalIgnoreCase) || method.Value.Equals("Where", StringComparison.OrdinalIgnoreCase);
        }
        if (CommandOf(block, isInTable: true) is not CommandAst command || command.GetCommandName() is not string name)
        {
            return false;
        }
        // Those that ForEach-Object runs before and after the items have none.
        return ItemCommands.Contains(name)
            || (ForEachCommands.Contains(name) && command.CommandElements.Count(element => element is ScriptBlockExpressionAst or CommandParameterAst { Argument: ScriptBlockExpressionAst }) == 1
                && !command.CommandElements.OfType<CommandParameterAst>().Any(parameter => IsBeginOrEnd(parameter.ParameterName)));
    }

    private static bool IsBeginOrEnd(string name) => Shortens(name, "Begin") || Shortens(name, "End");

    private void Own(VariableExpressionAst variable) => contents.OwnsData |= IsData(variable);

    private static bool IsData(VariableExpressionAst variable) =>
        !variable.VariablePath.IsDriveQualified
        && variable.VariablePath.UserPath.Substring(variable.VariablePath.UserPath.IndexOf(':') + 1).Equals(SessionTemplate.DataVariable, StringComparison.OrdinalIgnoreCase);

    /// <summary>ForEach-Object -Parallel evaluates $using: in its block itself, in the scope that calls it.</summary>
    private static bool EvaluatesUsing(CommandAst command) =>
        command.GetCommandName() is string name && ForEachCommands.Contains(name)
        // -Parallel may be shortened to what no other parameter begins with
        && command.CommandElements.OfType<CommandParameterAst>().Any(parameter => Shortens(parameter.ParameterName, "Parallel", letters: 2));
}
