// The values of a block's $using:, read in the caller's scope before anything runs. They get to the jobs by the engine's own way:
// the script that starts a worker's loop has them in a parameter that every $using: below it looks for. Pipeline thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts;

internal static class UsingValues
{
    /// <param name="cmdlet">The call's cmdlet.</param>
    /// <param name="mentions">Of a block.</param>
    /// <param name="values">Gets a value for each of them.</param>
    /// <exception cref="CallRefusedException">A variable does not exist, or its value is a script block.</exception>
    /// <returns>Those whose variable is set, or may be, with each item that comes: keys, and how to read them later.</returns>
    internal static IReadOnlyList<KeyValuePair<string, Func<object?>>> Read(PSCmdlet cmdlet, IEnumerable<(UsingExpressionAst Expression, bool IsRequired)> mentions, Hashtable values)
    {
        var late = new List<KeyValuePair<string, Func<object?>>>();
        HashSet<string>? upstream = null;
        foreach ((UsingExpressionAst expression, bool isRequired) in mentions)
        {
            string key = KeyOf(expression);
            if (values.ContainsKey(key))
            {
                continue;
            }
            VariablePath path = UsingExpressionAst.ExtractUsingVariable(expression).VariablePath;
            // Another drive's items are no variables: what is not there has no value, as everywhere in the language.
            bool isThere = !path.IsVariable || cmdlet.SessionState.PSVariable.Get(path.UserPath) is not null;
            if (!isThere)
            {
                if (isRequired)
                {
                    throw new CallRefusedException(ScriptErrors.UsingNotSet(path.UserPath));
                }
                continue;
            }
            Func<object?> read = expression.SubExpression is VariableExpressionAst
                ? () => cmdlet.SessionState.PSVariable.GetValue(path.UserPath)
                : Reader(cmdlet, expression.SubExpression);
            bool isLate = path.IsVariable && cmdlet.MyInvocation.ExpectingInput
                && (cmdlet.SessionState.PSVariable.GetValue(path.UserPath) is null || (upstream ??= LateUsings.Upstream(cmdlet)).Contains(path.UserPath));
            // An element of nothing is an error, which is no error while the variable waits for its value.
            object? value = isLate ? null : read();
            if (ForeignBlocks.Is(value))
            {
                if (isRequired)
                {
                    throw new CallRefusedException(ScriptErrors.ScriptBlockRefused("$using:" + path.UserPath, value));
                }
                continue;
            }
            values[key] = value;
            if (isLate)
            {
                late.Add(new KeyValuePair<string, Func<object?>>(key, read));
            }
        }
        return late;
    }

    /// <summary>As the engine makes it: the expression's text, of a variable alone in lower case, in base 64.</summary>
    private static string KeyOf(UsingExpressionAst expression)
    {
        string text = expression.ToString();
        if (expression.SubExpression is VariableExpressionAst)
        {
            text = text.ToLowerInvariant();
        }
        return Convert.ToBase64String(Encoding.Unicode.GetBytes(text));
    }

    /// <summary>A property or element, as in $using:list[0]: an expression of the caller's, in its scope and language mode.</summary>
    private static Func<object?> Reader(PSCmdlet cmdlet, ExpressionAst expression)
    {
        IScriptExtent extent = expression.Extent;
        var statement = new PipelineAst(extent, new CommandExpressionAst(extent, new ArrayLiteralAst(extent, new[] { (ExpressionAst)expression.Copy() }), null));
        ScriptBlock block = Dispatch.Block(extent, statement);
        return () => cmdlet.InvokeCommand.InvokeScript(false, block, null, null).FirstOrDefault();
    }
}
