// A caller's block as its syntax tree: what kind it is, how the item gets to it, and a block of no runspace made of it. Knows no
// runspace and runs nothing. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Reflection;

namespace RustRunspaces.Scripts;

internal sealed class BlockBody
{
    // Of a block; not public, but a block made in constrained language must not get full language from a caller that has it.
    private static readonly PropertyInfo? LanguageMode = typeof(ScriptBlock).GetProperty("LanguageMode", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);

    // `clean {}`, which engines have from 7.3 on.
    private static readonly PropertyInfo? CleanProperty = typeof(ScriptBlockAst).GetProperty("CleanBlock");

    private static readonly ConstructorInfo? MakeWithClean = typeof(ScriptBlockAst).GetConstructor(new[]
    {
        typeof(IScriptExtent), typeof(IEnumerable<UsingStatementAst>), typeof(ParamBlockAst),
        typeof(NamedBlockAst), typeof(NamedBlockAst), typeof(NamedBlockAst), typeof(NamedBlockAst), typeof(NamedBlockAst),
    });

    private readonly ScriptBlock source;
    private readonly ScriptBlockAst body;
    // Of `function Name($x) {}`, whose body has no param block.
    private readonly bool hasHeader;
    private readonly bool definesTypes;

    internal BlockBody(ScriptBlock block)
    {
        source = block;
        IReadOnlyList<ParameterAst>? header = (block.Ast as FunctionDefinitionAst)?.Parameters;
        body = block.Ast switch
        {
            ScriptBlockAst script => script,
            FunctionDefinitionAst function => function.Body,
            _ => Parser.ParseInput(block.ToString(), out _, out _),
        };
        definesTypes = header is null && body.Find(part => part is TypeDefinitionAst, searchNestedScriptBlocks: true) is not null;
        if (definesTypes)
        {
            body = Reparsed();
        }
        hasHeader = header is not null;
        Parameters = header ?? (IReadOnlyList<ParameterAst>?)body.ParamBlock?.Parameters ?? Array.Empty<ParameterAst>();
        ParameterAst? item = Parameters.LastOrDefault(parameter => NameOf(parameter).Equals("ComputerName", StringComparison.OrdinalIgnoreCase))
            ?? Parameters.FirstOrDefault();
        ItemParameter = item is null ? null : NameOf(item);
        IsAdvanced = (body.ParamBlock?.Attributes.Any(attribute => IsNamed(attribute, "CmdletBinding")) ?? false)
            || Parameters.Any(parameter => ParameterAttributes(parameter).Any());
        TakesItemFromPipeline = item is not null && Takes(item, "ValueFromPipeline");
        TakesItemByProperty = item is not null && Takes(item, "ValueFromPipelineByPropertyName");
        // Plain: nothing that needs the parameter binder. A type constraint does not, its conversion is the variable's.
        IsPlain = body.BeginBlock is null && body.ProcessBlock is null && body.DynamicParamBlock is null
            && (body.EndBlock?.Unnamed ?? false)
            && (body.ParamBlock is null || body.ParamBlock.Attributes.Count == 0)
            && Parameters.All(parameter => parameter.StaticType != typeof(SwitchParameter) && parameter.Attributes.All(attribute => attribute is TypeConstraintAst))
            && (item is null || ReferenceEquals(item, Parameters[0]));
    }

    internal IReadOnlyList<ParameterAst> Parameters { get; }

    /// <summary>The tree can get parameters and statements that its text does not have.</summary>
    internal bool CanBeComposed => !definesTypes && (CleanBlock is null || MakeWithClean is not null);

    internal bool HasParamBlock => hasHeader || body.ParamBlock is not null;

    internal IScriptExtent Extent => body.Extent;

    internal bool IsPlain { get; }

    internal bool IsAdvanced { get; }

    /// <summary>There is no statement.</summary>
    internal bool IsEmpty => body.EndBlock is null || body.EndBlock.Statements.Count == 0;

    /// <summary>The parameter that the host or item is for: ComputerName, else the first one.</summary>
    internal string? ItemParameter { get; }

    internal bool TakesItemFromPipeline { get; }

    internal bool TakesItemByProperty { get; }

    /// <summary>Properties of a piped item that parameters take.</summary>
    internal string[] PropertyNames => Parameters
        .Where(parameter => Takes(parameter, "ValueFromPipelineByPropertyName"))
        .SelectMany(parameter => Aliases(parameter).Concat(new[] { NameOf(parameter) }))
        .ToArray();

    internal bool HasParameter(string name) =>
        Parameters.Any(parameter => NameOf(parameter).Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>A parameter that the block's text does not have.</summary>
    internal ParameterAst NewParameter(string name) =>
        new ParameterAst(Extent, new VariableExpressionAst(Extent, name, splatted: false), null, null);

    /// <summary>The block as it was written, bound to no runspace. It keeps its file, its lines and its `using namespace`.</summary>
    internal ScriptBlock Unbound() => hasHeader ? Make(Array.Empty<ParameterAst>(), item: null) : Restricted(body.GetScriptBlock());

    /// <summary>The same with parameters before its own.</summary>
    /// <param name="before">New ones.</param>
    /// <param name="item">
    /// The variable that $_ is set from at the beginning: one of its own survives catch blocks, which restore what their scope had.
    /// Null: leave $_ alone.
    /// </param>
    internal ScriptBlock Composed(IReadOnlyList<ParameterAst> before, string? item) =>
        CanBeComposed && (before.Count > 0 || item is not null) ? Make(before, item) : Unbound();

    private NamedBlockAst? CleanBlock => (NamedBlockAst?)CleanProperty?.GetValue(body);

    // Trees go over what they are given more than once: arrays, or each time they would find other copies.
    private ScriptBlock Make(IReadOnlyList<ParameterAst> before, string? item)
    {
        ParamBlockAst? own = body.ParamBlock;
        var parameters = new ParamBlockAst(
            own?.Extent ?? Extent,
            own?.Attributes.Select(attribute => (AttributeAst)attribute.Copy()).ToArray(),
            before.Concat(Parameters.Select(parameter => (ParameterAst)parameter.Copy())).ToArray());
        bool hasParameters = HasParamBlock || before.Count > 0;
        var usings = Usings();
        ParamBlockAst? paramBlock = hasParameters ? parameters : null;
        NamedBlockAst? begin = Copy(body.BeginBlock, item);
        NamedBlockAst? process = Copy(body.ProcessBlock, item);
        NamedBlockAst? end = Copy(body.EndBlock, item);
        var dynamic = (NamedBlockAst?)body.DynamicParamBlock?.Copy();
        ScriptBlockAst made = CleanBlock is NamedBlockAst clean
            ? (ScriptBlockAst)MakeWithClean!.Invoke(new object?[] { Extent, usings, paramBlock, begin, process, end, clean.Copy(), dynamic })
            : new ScriptBlockAst(Extent, usings, paramBlock, begin, process, end, dynamic);
        return Restricted(made.GetScriptBlock());
    }

    private ScriptBlock Restricted(ScriptBlock made)
    {
        if (LanguageMode?.GetValue(source) is PSLanguageMode.ConstrainedLanguage && LanguageMode.CanWrite)
        {
            LanguageMode.SetValue(made, PSLanguageMode.ConstrainedLanguage);
        }
        return made;
    }

    /// <summary>
    /// A block with classes, parsed once more: those of the caller's tree belong to the caller's session, and copies of a tree share
    /// what they refer to. At its line and column of the same file; $_ is set in front of the first statement.
    /// </summary>
    private ScriptBlockAst Reparsed()
    {
        string text = body.Extent.Text;
        bool isLiteral = body.Parent is not null && text.Length >= 2 && text[0] == '{';
        int start = isLiteral ? 1 : 0;
        string inner = text.Substring(start, text.Length - (2 * start));
        if (body.EndBlock is { Unnamed: true, Statements: { Count: > 0 } statements })
        {
            inner = inner.Insert(statements[0].Extent.StartOffset - body.Extent.StartOffset - start, "$_=$global:_;");
        }
        string head = string.Concat(Usings().Select(statement => statement.Extent.Text.TrimEnd(';') + ";"));
        string padding = new string('\n', body.Extent.StartLineNumber - 1) + new string(' ', body.Extent.StartColumnNumber - 1 + start);
        return Parser.ParseInput(head + (isLiteral ? padding : "") + inner, body.Extent.File, out _, out _);
    }

    /// <summary>Those of the file or text: a tree without parents finds them nowhere else.</summary>
    private List<UsingStatementAst> Usings()
    {
        Ast root = body;
        while (root.Parent is not null)
        {
            root = root.Parent;
        }
        IEnumerable<UsingStatementAst> usings = (root as ScriptBlockAst)?.UsingStatements ?? Enumerable.Empty<UsingStatementAst>();
        return usings
            .Where(statement => statement.UsingStatementKind == UsingStatementKind.Namespace)
            .Select(statement => new UsingStatementAst(statement.Extent, UsingStatementKind.Namespace, (StringConstantExpressionAst)statement.Name.Copy()))
            .ToList();
    }

    private static NamedBlockAst? Copy(NamedBlockAst? block, string? source)
    {
        if (block is null || source is null || block.Statements.Count == 0)
        {
            return (NamedBlockAst?)block?.Copy();
        }
        IScriptExtent first = block.Statements[0].Extent;
        var item = new VariableExpressionAst(first, "_", splatted: false);
        var keep = new AssignmentStatementAst(first, item, TokenKind.Equals, new CommandExpressionAst(first, new VariableExpressionAst(first, source, splatted: false), null), first);
        var statements = new StatementBlockAst(
            block.Extent,
            new StatementAst[] { keep }.Concat(block.Statements.Select(statement => (StatementAst)statement.Copy())).ToArray(),
            block.Traps?.Select(trap => (TrapStatementAst)trap.Copy()).ToArray());
        return new NamedBlockAst(block.Extent, block.BlockKind, statements, block.Unnamed);
    }

    private static string NameOf(ParameterAst parameter) => parameter.Name.VariablePath.UserPath;

    private static bool Takes(ParameterAst parameter, string how) => ParameterAttributes(parameter)
        .SelectMany(attribute => attribute.NamedArguments)
        .Any(argument => argument.ArgumentName.Equals(how, StringComparison.OrdinalIgnoreCase)
            && (argument.ExpressionOmitted || !argument.Argument.Extent.Text.Equals("$false", StringComparison.OrdinalIgnoreCase)));

    private static IEnumerable<string> Aliases(ParameterAst parameter) => parameter.Attributes
        .OfType<AttributeAst>()
        .Where(attribute => IsNamed(attribute, "Alias"))
        .SelectMany(attribute => attribute.PositionalArguments)
        .OfType<StringConstantExpressionAst>()
        .Select(name => name.Value);

    private static IEnumerable<AttributeAst> ParameterAttributes(ParameterAst parameter) =>
        parameter.Attributes.OfType<AttributeAst>().Where(attribute => IsNamed(attribute, "Parameter"));

    private static bool IsNamed(AttributeAst attribute, string name) =>
        attribute.TypeName.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || attribute.TypeName.Name.Equals(name + "Attribute", StringComparison.OrdinalIgnoreCase);
}
