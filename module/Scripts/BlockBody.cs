// A caller's block as its syntax tree: what kind it is, how the item gets to it, and a block of no runspace made of it. Knows no
// runspace and runs nothing. Pipeline thread.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Reflection;
using RustRunspaces.Output;

namespace RustRunspaces.Scripts;

internal sealed class BlockBody
{
    // `clean {}`, which engines have from 7.3 on.
    private static PropertyInfo? CleanProperty => EngineMembers.Property(typeof(ScriptBlockAst), "CleanBlock");

    private static ConstructorInfo? MakeWithClean => EngineMembers.Constructor(
        typeof(ScriptBlockAst),
        typeof(IScriptExtent), typeof(IEnumerable<UsingStatementAst>), typeof(ParamBlockAst),
        typeof(NamedBlockAst), typeof(NamedBlockAst), typeof(NamedBlockAst), typeof(NamedBlockAst), typeof(NamedBlockAst));

    // To take a tree apart, and to let a new tree know the types of an old one.
    private static PropertyInfo? ParentProperty => EngineMembers.Property(typeof(Ast), nameof(Ast.Parent));

    // Not public, but a block made in constrained language must not get full language from a caller that has it.
    private static PropertyInfo? ModeProperty => EngineMembers.Property(typeof(ScriptBlock), "LanguageMode");

    private static PropertyInfo? TypeProperty => EngineMembers.Property(typeof(TypeDefinitionAst), "Type");

    private static readonly ParameterAst[] NoParameters = Array.Empty<ParameterAst>();

    private readonly ScriptBlock source;
    private readonly ScriptBlockAst body;
    // Of `function Name($x) {}`, whose body has no param block.
    private readonly bool hasHeader;
    private readonly bool definesTypes;
    // begin, process and end make one block, which needs no pipe: see IsOfItsPart.
    private readonly bool isJoined;

    internal BlockBody(ScriptBlock block)
    {
        source = block;
        var function = block.Ast as FunctionDefinitionAst;
        IReadOnlyList<ParameterAst>? header = function?.Parameters;
        body = function?.Body ?? (ScriptBlockAst)block.Ast;
        definesTypes = body.Find(part => part is TypeDefinitionAst, searchNestedScriptBlocks: true) is not null;
        hasHeader = header is not null;
        Parameters = header ?? (IReadOnlyList<ParameterAst>?)body.ParamBlock?.Parameters ?? Array.Empty<ParameterAst>();
        ParameterAst? item = Parameters.LastOrDefault(parameter => NameOf(parameter).Equals("ComputerName", StringComparison.OrdinalIgnoreCase))
            ?? Parameters.FirstOrDefault();
        ItemParameter = item is null ? null : NameOf(item);
        IsAdvanced = (body.ParamBlock?.Attributes.Any(attribute => IsNamed(attribute, "CmdletBinding")) ?? false)
            || Parameters.Any(parameter => ParameterAttributes(parameter).Any());
        IsParticular = item is not null && (item.Attributes.Any(attribute => attribute is TypeConstraintAst) || ParameterAttributes(item).Any(attribute => attribute.NamedArguments.Count > 0));
        TakesItemFromPipeline = item is not null && Takes(item, "ValueFromPipeline");
        TakesItemByProperty = item is not null && Takes(item, "ValueFromPipelineByPropertyName");
        isJoined = body.EndBlock is not { Unnamed: true } && body.DynamicParamBlock is null && CleanBlock is null && CanBeComposed
            && body.Find(IsOfItsPart, searchNestedScriptBlocks: false) is null;
        // Nothing but attributes may need the pipe or the parameter binder. A type constraint does not, its conversion is the variable's.
        bool isSimple = (isJoined || (body.EndBlock is { Unnamed: true } && body.DynamicParamBlock is null))
            && Parameters.All(parameter => parameter.StaticType != typeof(SwitchParameter))
            && (item is null || ReferenceEquals(item, Parameters[0]));
        IsPlain = isSimple
            && (body.ParamBlock is null || body.ParamBlock.Attributes.Count == 0)
            && Parameters.All(parameter => parameter.Attributes.All(attribute => attribute is TypeConstraintAst));
        HasIdleAttributes = isSimple && item is not null
            && (body.ParamBlock?.Attributes.All(attribute => IsNamed(attribute, "CmdletBinding") && attribute.NamedArguments.Count == 0) ?? true)
            && Parameters.All(parameter => parameter.Attributes.All(attribute => IsIdle(attribute, ReferenceEquals(parameter, item))));
    }

    internal IReadOnlyList<ParameterAst> Parameters { get; }

    /// <summary>The tree can get parameters and statements that its text does not have.</summary>
    internal bool CanBeComposed => (!definesTypes || ParentProperty is { CanWrite: true }) && (CleanBlock is null || MakeWithClean is not null);

    internal bool HasParamBlock => hasHeader || body.ParamBlock is not null;

    internal IScriptExtent Extent => body.Extent;

    internal bool IsPlain { get; }

    internal bool IsAdvanced { get; }

    /// <summary>Its attributes make it an advanced block, and do nothing else for a job without further arguments.</summary>
    internal bool HasIdleAttributes { get; }

    /// <summary>Of a block with idle attributes: the item's parameter does not take everything, or not as it is.</summary>
    internal bool IsParticular { get; }

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
    internal ScriptBlock Unbound() => Made(NoParameters, item: null, isJoined: false);

    /// <summary>The same with parameters before its own.</summary>
    /// <param name="before">New ones.</param>
    /// <param name="item">
    /// The variable that $_ is set from at the beginning: one of its own survives catch blocks, which restore what their scope had.
    /// Null: leave $_ alone.
    /// </param>
    /// <param name="keepsParts">Its process part does not run for an item that its parameters do not take from the pipe.</param>
    internal ScriptBlock Composed(IReadOnlyList<ParameterAst> before, string? item, bool keepsParts = false) => Made(before, item, isJoined && !keepsParts);

    /// <summary>Of a function: the statement that defines it under a name, in the language mode of whoever runs it; null for a block.</summary>
    internal FunctionDefinitionAst? Definition(string name) =>
        source.Ast is FunctionDefinitionAst { IsFilter: var isFilter } written && CanBeComposed && !IsRestricted
            ? new FunctionDefinitionAst(
                written.Extent,
                isFilter,
                isWorkflow: false,
                name,
                hasHeader ? Parameters.Select(parameter => (ParameterAst)parameter.Copy()).ToArray() : null,
                Tree(NoParameters, item: null, isJoined: false, hasParamBlock: !hasHeader && HasParamBlock))
            : null;

    private static IEnumerable<NamedBlockAst> PartsOf(ScriptBlockAst script) =>
        new[] { script.BeginBlock, script.ProcessBlock, script.EndBlock }.OfType<NamedBlockAst>();

    private NamedBlockAst? CleanBlock => (NamedBlockAst?)CleanProperty?.GetValue(body);

    // Trees go over what they are given more than once: arrays, or each time they would find other copies.
    private ScriptBlockAst Tree(IReadOnlyList<ParameterAst> before, string? item, bool isJoined, bool hasParamBlock)
    {
        ScriptBlockAst from = definesTypes ? ParsedAgain() : body;
        ParamBlockAst? own = from.ParamBlock;
        IEnumerable<ParameterAst> parameters = own?.Parameters.Select(Taken) ?? Parameters.Select(parameter => (ParameterAst)parameter.Copy());
        ParamBlockAst? paramBlock = hasParamBlock
            ? new ParamBlockAst(own?.Extent ?? Extent, own?.Attributes.Select(Taken).ToArray(), before.Concat(parameters).ToArray())
            : null;
        var usings = Usings();
        NamedBlockAst? begin = isJoined ? null : Part(from.BeginBlock, item);
        NamedBlockAst? process = isJoined ? null : Part(from.ProcessBlock, item);
        NamedBlockAst? end = isJoined ? Block(Extent, TokenKind.End, isUnnamed: true, PartsOf(from), item) : Part(from.EndBlock, item);
        NamedBlockAst? dynamic = from.DynamicParamBlock is null ? null : Taken(from.DynamicParamBlock);
        return CleanBlock is not null
            ? (ScriptBlockAst)MakeWithClean!.Invoke(new object?[] { Extent, usings, paramBlock, begin, process, end, Taken((NamedBlockAst)CleanProperty!.GetValue(from)), dynamic })
            : new ScriptBlockAst(Extent, usings, paramBlock, begin, process, end, dynamic);
    }

    /// <summary>
    /// A part of a tree for another tree: a copy, but the part itself where classes are defined, for copies share what they refer to.
    /// </summary>
    private T Taken<T>(T part)
        where T : Ast
    {
        if (!definesTypes)
        {
            return (T)part.Copy();
        }
        ParentProperty!.SetValue(part, null);
        return part;
    }

    private ScriptBlock Made(IReadOnlyList<ParameterAst> before, string? item, bool isJoined)
    {
        bool isNew = CanBeComposed && (hasHeader || definesTypes || isJoined || before.Count > 0 || item is not null);
        ScriptBlockAst tree = isNew ? Tree(before, item, isJoined, HasParamBlock || before.Count > 0)
            : hasHeader || definesTypes ? ParsedAlone()
            : body;
        ScriptBlock made = tree.GetScriptBlock();
        if (IsRestricted && ModeProperty is { CanWrite: true } mode)
        {
            mode.SetValue(made, PSLanguageMode.ConstrainedLanguage);
        }
        return made;
    }

    private bool IsRestricted => ModeProperty?.GetValue(source) is PSLanguageMode.ConstrainedLanguage;

    /// <summary>
    /// The block in a new tree of the whole text that it stands in: classes of the caller's tree belong to the caller's session. Its
    /// own are new, those around it remain the caller's.
    /// </summary>
    private ScriptBlockAst ParsedAgain()
    {
        if (body.Extent.StartScriptPosition.GetFullScript() is not string text)
        {
            return ParsedAlone();
        }
        ScriptBlockAst root = Parser.ParseInput(text, body.Extent.File, out _, out _);
        // The innermost: a text that is one block has two there.
        Ast? same = body.Parent is null ? root : root.FindAll(part => part is ScriptBlockAst && IsAt(part, body), searchNestedScriptBlocks: true).LastOrDefault();
        if (same is not ScriptBlockAst found)
        {
            return ParsedAlone();
        }
        if (TypeProperty is { CanWrite: true })
        {
            IEnumerable<Ast> around = Root.FindAll(part => part is TypeDefinitionAst && !IsWithin(part, body), searchNestedScriptBlocks: true);
            foreach (Ast known in around.ToArray())
            {
                if (root.Find(part => part is TypeDefinitionAst && IsAt(part, known), searchNestedScriptBlocks: true) is TypeDefinitionAst named)
                {
                    TypeProperty.SetValue(named, TypeProperty.GetValue(known));
                }
            }
        }
        return found;
    }

    /// <summary>The block's text alone, at its line and column: where its surroundings are not known, or must stay as they are.</summary>
    private ScriptBlockAst ParsedAlone()
    {
        string text = hasHeader ? source.ToString() : body.Extent.Text;
        bool isLiteral = body.Parent is not null && text.Length >= 2 && text[0] == '{';
        string head = string.Concat(Usings().Select(statement => statement.Extent.Text.TrimEnd(';') + ";"));
        string before = new string('\n', Math.Max(0, Extent.StartLineNumber - 1)) + head.PadRight(Math.Max(0, Extent.StartColumnNumber - 1));
        return Parser.ParseInput(before + (isLiteral ? " " + text.Substring(1, text.Length - 2) : text), body.Extent.File, out _, out _);
    }

    private static bool IsAt(Ast one, Ast other) =>
        one.Extent.StartOffset == other.Extent.StartOffset && one.Extent.EndOffset == other.Extent.EndOffset;

    private static bool IsWithin(Ast part, Ast whole) =>
        part.Extent.StartOffset >= whole.Extent.StartOffset && part.Extent.EndOffset <= whole.Extent.EndOffset;

    private Ast Root
    {
        get
        {
            Ast root = body;
            while (root.Parent is not null)
            {
                root = root.Parent;
            }
            return root;
        }
    }

    /// <summary>Those of the file or text: a tree without parents finds them nowhere else.</summary>
    private List<UsingStatementAst> Usings()
    {
        IEnumerable<UsingStatementAst> usings = (Root as ScriptBlockAst)?.UsingStatements ?? Enumerable.Empty<UsingStatementAst>();
        return usings
            .Where(statement => statement.UsingStatementKind == UsingStatementKind.Namespace)
            .Select(statement => new UsingStatementAst(statement.Extent, UsingStatementKind.Namespace, (StringConstantExpressionAst)statement.Name.Copy()))
            .ToList();
    }

    private NamedBlockAst? Part(NamedBlockAst? block, string? source) =>
        block is null ? null : Block(block.Extent, block.BlockKind, block.Unnamed, new[] { block }, source);

    private NamedBlockAst Block(IScriptExtent extent, TokenKind kind, bool isUnnamed, IEnumerable<NamedBlockAst> parts, string? source)
    {
        List<StatementAst> statements = parts.SelectMany(part => part.Statements).Select(Taken).ToList();
        if (source is not null && statements.Count > 0)
        {
            IScriptExtent first = statements[0].Extent;
            var item = new VariableExpressionAst(first, "_", splatted: false);
            var value = new CommandExpressionAst(first, new VariableExpressionAst(first, source, splatted: false), null);
            statements.Insert(0, new AssignmentStatementAst(first, item, TokenKind.Equals, value, first));
        }
        TrapStatementAst[] traps = parts.SelectMany(part => part.Traps ?? Enumerable.Empty<TrapStatementAst>()).Select(Taken).ToArray();
        return new NamedBlockAst(extent, kind, new StatementBlockAst(extent, statements, traps), isUnnamed);
    }

    /// <summary>Whether a part of a block means something else where it follows another one in one block.</summary>
    private static bool IsOfItsPart(Ast part) => part switch
    {
        ReturnStatementAst or TrapStatementAst => true,
        AssignmentStatementAst { Left: VariableExpressionAst set } => IsVariable(set, "_"),
        VariableExpressionAst read => IsVariable(read, "input"),
        _ => false,
    };

    private static bool IsVariable(VariableExpressionAst variable, string name) =>
        variable.VariablePath.UserPath.Equals(name, StringComparison.OrdinalIgnoreCase);

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

    private static bool IsIdle(AttributeBaseAst attribute, bool isItems) => attribute switch
    {
        // The binder converts in a way of its own, but not what has one value.
        TypeConstraintAst type => !isItems || type.TypeName.GetReflectionType() == typeof(string),
        AttributeAst known => IsNamed(known, "Alias") || (IsNamed(known, "Parameter") && known.NamedArguments.All(argument =>
            isItems && argument.ArgumentName.Equals("Mandatory", StringComparison.OrdinalIgnoreCase))),
        _ => false,
    };

    private static bool IsNamed(AttributeAst attribute, string name) =>
        attribute.TypeName.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || attribute.TypeName.Name.Equals(name + "Attribute", StringComparison.OrdinalIgnoreCase);
}
