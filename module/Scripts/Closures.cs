// Finds what a closure carries: GetNewClosure binds a block to a module of its own, with copies of its maker's variables, which jobs
// cannot have. Blocks of event actions, of modules without a name and inside of a closure are bound to modules that look the same;
// what tells a closure is that it reads such a copy. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts;

internal static class Closures
{
    /// <summary>The name of a variable that the block would lose; null where it loses none.</summary>
    internal static string? Lost(PSCmdlet cmdlet, ScriptBlock block)
    {
        PSModuleInfo? module = block.Module;
        bool isOwn = !IsNameless(module)
            || module!.Name == cmdlet.SessionState.Module?.Name
            // New-Module's own has a place.
            || !string.IsNullOrEmpty(module.ModuleBase)
            || cmdlet.Events.Subscribers.Any(subscriber => subscriber.Action?.Module?.Name == module.Name);
        return isOwn ? null : Read(block.Ast).FirstOrDefault(name =>
            !CallerImports.SessionVariables.Contains(name)
            && module!.SessionState.PSVariable.Get("script:" + name) is { Options: ScopedItemOptions.None });
    }

    /// <summary>A module that only the session that made it can know.</summary>
    internal static bool IsNameless(PSModuleInfo? module) =>
        module is not null && module.Name.StartsWith("__DynamicModule_", StringComparison.Ordinal);

    /// <summary>Variables that a block reads and does not set itself.</summary>
    private static IEnumerable<string> Read(Ast block)
    {
        ILookup<bool, string> named = block.FindAll(part => part is VariableExpressionAst, searchNestedScriptBlocks: true)
            .Cast<VariableExpressionAst>()
            .Where(variable => !variable.VariablePath.IsDriveQualified && !variable.VariablePath.IsGlobal && !IsUsing(variable))
            .ToLookup(IsSet, variable => variable.VariablePath.UserPath.Substring(variable.VariablePath.UserPath.IndexOf(':') + 1));
        return named[false].Except(named[true], StringComparer.OrdinalIgnoreCase);
    }

    private static bool IsSet(VariableExpressionAst variable)
    {
        Ast target = variable;
        while (target.Parent is AttributedExpressionAst attributed)
        {
            target = attributed;
        }
        return target.Parent switch
        {
            ParameterAst => true,
            ForEachStatementAst loop => loop.Variable == target,
            AssignmentStatementAst { Operator: TokenKind.Equals } assignment => assignment.Left == target,
            _ => false,
        };
    }

    private static bool IsUsing(Ast? part)
    {
        while (part is ExpressionAst and not UsingExpressionAst)
        {
            part = part.Parent;
        }
        return part is UsingExpressionAst;
    }
}
