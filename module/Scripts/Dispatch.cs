// The dispatching block: `& values[0] -Name:$global:_ values[1] ...` or `,$global:_ | & values[0] ...`, made as a syntax tree that
// holds its values. It calls a block or command with the engine's parameter binder. It has no variables and arguments that what it
// calls could see, and every position in it is the caller's code, so that errors of binding show that. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts;

internal static class Dispatch
{
    // What the worker sets for each job. The engine gives a block that is called as a command a $_ of its own, with or without value.
    internal const string ItemVariable = "global:_";

    /// <param name="position">Of everything.</param>
    /// <param name="values">The block or command, and arguments: the same for every job.</param>
    /// <param name="elements">After the command.</param>
    /// <param name="isPiped">The item comes through the pipe, too.</param>
    internal static ScriptBlock Block(IScriptExtent position, object?[] values, IEnumerable<CommandElementAst> elements, bool isPiped)
    {
        var stages = new List<CommandBaseAst>();
        if (isPiped)
        {
            stages.Add(new CommandExpressionAst(position, new ArrayLiteralAst(position, new[] { Item(position) }), null));
        }
        stages.Add(new CommandAst(position, new CommandElementAst[] { Value(position, values, 0) }.Concat(elements).ToArray(), TokenKind.Ampersand, null));
        return Block(position, new PipelineAst(position, stages));
    }

    /// <summary>`try { . block } catch { throw }`: a statement that cannot go on ends it, as a throw does.</summary>
    internal static ScriptBlock Unforgiving(ScriptBlock block)
    {
        IScriptExtent position = block.Ast.Extent;
        CommandElementAst called = Value(position, new object?[] { block }, 0);
        var call = new PipelineAst(position, new CommandAst(position, new[] { called }, TokenKind.Dot, null));
        var again = new CatchClauseAst(position, null, One(new ThrowStatementAst(position, null)));
        return Block(position, new TryStatementAst(position, One(call), new[] { again }, null));
    }

    /// <summary>A block of no runspace with these statements.</summary>
    internal static ScriptBlock Block(IScriptExtent position, params StatementAst[] statements) =>
        new ScriptBlockAst(position, null, new StatementBlockAst(position, statements, null), isFilter: false).GetScriptBlock();

    private static StatementBlockAst One(StatementAst statement) => new StatementBlockAst(statement.Extent, new[] { statement }, null);

    /// <summary>A parameter for what takes arguments as texts: the engine takes the text from the parameter's position.</summary>
    /// <param name="line">Where it stands.</param>
    /// <param name="name">Of the parameter.</param>
    /// <param name="text">With its dash.</param>
    /// <param name="value">Makes the value at a position, which follows the text without a space; null: none.</param>
    internal static CommandParameterAst TextParameter(IScriptExtent line, string name, string text, Func<IScriptExtent, ExpressionAst>? value)
    {
        ScriptPosition At(int column) => new ScriptPosition(line.File, line.StartLineNumber, column, text);
        ScriptPosition end = At(text.Length + 1);
        var position = new ScriptExtent(At(1), end);
        return new CommandParameterAst(position, name, value?.Invoke(new ScriptExtent(end, end)), position);
    }

    internal static ExpressionAst Item(IScriptExtent position) => new VariableExpressionAst(position, ItemVariable, splatted: false);

    // In an array: the engine gives a number that stands as an argument the text at its position.
    internal static ExpressionAst Value(IScriptExtent position, object?[] values, int place) =>
        new IndexExpressionAst(position, new ConstantExpressionAst(position, values), new ConstantExpressionAst(position, place));
}
