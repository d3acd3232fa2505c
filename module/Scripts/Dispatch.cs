// The dispatching block: `& $args[0] -Name:$args[1] $args[2] ...` or `,$args[1] | & $args[0] ...`, made as a syntax tree. It calls
// a block or command with the engine's parameter binder. It has no variables that what it calls could see, and every position in
// it is the caller's code, so that errors of binding show that. Pipeline thread.

using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts;

internal static class Dispatch
{
    /// <param name="call">The position of everything.</param>
    /// <param name="elements">After the command.</param>
    /// <param name="isPiped">The item comes through the pipe, too.</param>
    internal static ScriptBlock Block(IScriptExtent call, IEnumerable<CommandElementAst> elements, bool isPiped)
    {
        var stages = new List<CommandBaseAst>();
        if (isPiped)
        {
            stages.Add(new CommandExpressionAst(call, new ArrayLiteralAst(call, new ExpressionAst[] { Argument(call, 1) }), null));
        }
        stages.Add(new CommandAst(call, new CommandElementAst[] { Argument(call, 0) }.Concat(elements).ToArray(), TokenKind.Ampersand, null));
        var statements = new StatementBlockAst(call, new StatementAst[] { new PipelineAst(call, stages) }, null);
        return new ScriptBlockAst(call, null, statements, isFilter: false).GetScriptBlock();
    }

    /// <summary>A parameter for what takes arguments as texts: the engine takes the text from the parameter's position.</summary>
    /// <param name="call">Gives the line.</param>
    /// <param name="name">Of the parameter.</param>
    /// <param name="text">With its dash.</param>
    /// <param name="place">Of the value, which follows the text without a space; null: none.</param>
    internal static CommandParameterAst TextParameter(IScriptExtent call, string name, string text, int? place)
    {
        ScriptPosition At(int column) => new ScriptPosition(call.File, call.StartLineNumber, column, text);
        ScriptPosition end = At(text.Length + 1);
        var position = new ScriptExtent(At(1), end);
        return new CommandParameterAst(position, name, place is int value ? Argument(new ScriptExtent(end, end), value) : null, position);
    }

    internal static ExpressionAst Argument(IScriptExtent call, int place) =>
        new IndexExpressionAst(call, new VariableExpressionAst(call, "args", splatted: false), new ConstantExpressionAst(call, place));
}
