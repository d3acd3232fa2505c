// Judges whether Windows PowerShell 5.1 could read and run a script: by the tree and the tokens of
// today's parser, which knows everything that came later. It runs nothing.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using System.Xml;

namespace RustRunspaces.PowerShellTests;

internal sealed class WindowsPowerShellSyntax
{
    private static readonly TokenKind[] LaterTokens =
        [TokenKind.QuestionQuestion, TokenKind.QuestionQuestionEquals, TokenKind.QuestionDot, TokenKind.QuestionLBracket, TokenKind.AndAnd, TokenKind.OrOr];

    /// <summary>Today's accelerators that 5.1 has not, and the full names of those that are PowerShell's own types.</summary>
    private static readonly HashSet<string> LaterTypes = ((Dictionary<string, Type>)typeof(PSObject).Assembly
        .GetType("System.Management.Automation.TypeAccelerators")!.GetProperty("Get")!.GetValue(null)!)
        // [ordered] is none in either: the parser knows it.
        .Where(today => !WindowsPowerShell51.Accelerators.Contains(today.Key) && today.Key != "ordered")
        .SelectMany(today => today.Value.Assembly == typeof(PSObject).Assembly ? [today.Key, WithoutSystem(today.Value.FullName!)] : new[] { today.Key })
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    private readonly IReadOnlySet<string> ownCommands;
    private readonly List<string> complaints = [];
    private string name = "";

    private WindowsPowerShellSyntax(IReadOnlySet<string> ownCommands)
    {
        this.ownCommands = ownCommands;
    }

    /// <param name="ownCommands">Commands that come with the repository.</param>
    /// <returns>NAME:LINE: what 5.1 has not.</returns>
    public static IReadOnlyList<string> Judge(string name, string text, IReadOnlySet<string> ownCommands)
    {
        var judge = new WindowsPowerShellSyntax(ownCommands) { name = name };
        if (name.EndsWith(".ps1xml", StringComparison.OrdinalIgnoreCase))
        {
            var document = new XmlDocument();
            document.LoadXml(text);
            foreach (XmlNode block in document.SelectNodes("//*[local-name()='ScriptBlock' or local-name()='GetScriptBlock' or local-name()='SetScriptBlock' or local-name()='Script']")!)
            {
                judge.Script(block.InnerText);
            }
        }
        else
        {
            judge.Script(text);
        }
        return judge.complaints;
    }

    /// <summary>The functions that a script defines.</summary>
    public static IEnumerable<string> Functions(string text) =>
        Parser.ParseInput(text, out _, out _).FindAll(node => node is FunctionDefinitionAst, searchNestedScriptBlocks: true)
            .Select(node => ((FunctionDefinitionAst)node).Name);

    private void Script(string text)
    {
        ScriptBlockAst script = Parser.ParseInput(text, out Token[] tokens, out ParseError[] errors);
        foreach (ParseError error in errors)
        {
            Complain(error.Extent, error.Message);
        }
        Tokens(tokens);
        foreach (Ast node in script.FindAll(_ => true, searchNestedScriptBlocks: true))
        {
            Node(node);
        }
    }

    private void Tokens(Token[] tokens)
    {
        Token? before = null;
        foreach (Token token in tokens.Where(token => token.Kind is not (TokenKind.Comment or TokenKind.LineContinuation)))
        {
            if (LaterTokens.Contains(token.Kind))
            {
                Complain(token.Extent, $"the operator {token.Text}");
            }
            if (token.Kind == TokenKind.Pipe && before?.Kind == TokenKind.NewLine)
            {
                Complain(token.Extent, "a pipe at the beginning of a line");
            }
            if (token is NumberToken && Regex.IsMatch(token.Text, "^[+-]?(0b|0x[0-9a-f]+(u|s|us|ul|n)|[0-9.]+(e[+-]?[0-9]+)?(y|u|s|n|uy|us|ul))([kmgtp]b)?$|^[+-]?0b", RegexOptions.IgnoreCase))
            {
                Complain(token.Extent, $"the number {token.Text}");
            }
            if (token is StringExpandableToken && Regex.IsMatch(token.Text, "(?<!`)(``)*`(e|u\\{)"))
            {
                Complain(token.Extent, "the escapes `e and `u{}");
            }
            before = token;
        }
    }

    private void Node(Ast node)
    {
        switch (node)
        {
            case TernaryExpressionAst:
                Complain(node.Extent, "the ternary operator");
                break;
            case PipelineAst { Background: true }:
                Complain(node.Extent, "a background job by &");
                break;
            case ScriptBlockAst { CleanBlock: not null }:
                Complain(node.Extent, "a clean block");
                break;
            case InvokeMemberExpressionAst { GenericTypeArguments: not null }:
                Complain(node.Extent, "type arguments of a method");
                break;
            case MemberExpressionAst { Static: true, Expression: TypeExpressionAst type, Member: StringConstantExpressionAst member }:
                string called = $"{WithoutSystem(type.TypeName.FullName)}::{member.Value}";
                int arguments = (node as InvokeMemberExpressionAst)?.Arguments?.Count ?? 0;
                if (WindowsPowerShell51.LaterMembers.Contains(called) || WindowsPowerShell51.LaterMembers.Contains($"{called}/{arguments}"))
                {
                    Complain(node.Extent, $"the member {called}");
                }
                break;
            case BinaryExpressionAst { Operator: TokenKind.DotDot } range when IsText(range.Left) || IsText(range.Right):
                Complain(node.Extent, "a range of characters");
                break;
            case TypeDefinitionAst { IsEnum: true, BaseTypes.Count: > 0 }:
                Complain(node.Extent, "the type of an enum's values");
                break;
            case NamedAttributeArgumentAst argument when argument.ArgumentName.Equals("ErrorMessage", StringComparison.OrdinalIgnoreCase):
                Complain(node.Extent, "the ErrorMessage of an attribute");
                break;
            case VariableExpressionAst { VariablePath.IsVariable: true } variable:
                string unscoped = variable.VariablePath.UserPath[(variable.VariablePath.UserPath.IndexOf(':') + 1)..];
                if (WindowsPowerShell51.LaterVariables.Contains(unscoped))
                {
                    Complain(node.Extent, $"the variable ${unscoped}");
                }
                break;
            case TypeExpressionAst type:
                Type(type.TypeName);
                break;
            case AttributeBaseAst attribute:
                Type(attribute.TypeName);
                break;
            case CommandAst command:
                Command(command);
                break;
        }
    }

    private void Type(ITypeName type)
    {
        switch (type)
        {
            case ArrayTypeName array:
                Type(array.ElementType);
                break;
            case GenericTypeName generic:
                Type(generic.TypeName);
                foreach (ITypeName argument in generic.GenericArguments)
                {
                    Type(argument);
                }
                break;
            default:
                if (LaterTypes.Contains(WithoutSystem(type.FullName)))
                {
                    Complain(type.Extent, $"the type [{type.FullName}]");
                }
                break;
        }
    }

    private void Command(CommandAst command)
    {
        string? called = command.GetCommandName();
        if (called is null)
        {
            return;
        }
        called = called[(called.IndexOf('\\') + 1)..];
        string cmdlet = WindowsPowerShell51.Aliases.GetValueOrDefault(called, called);
        // Without a hyphen it is a program or an alias; with one it must be known.
        bool isUnknown = Regex.IsMatch(cmdlet, @"^[A-Za-z]+-\w+$") && !WindowsPowerShell51.Cmdlets.Contains(cmdlet) && !ownCommands.Contains(cmdlet);
        if (isUnknown || WindowsPowerShell51.LaterAliases.Contains(cmdlet))
        {
            Complain(command.Extent, $"the command {cmdlet}");
        }
        foreach (CommandParameterAst parameter in command.CommandElements.OfType<CommandParameterAst>())
        {
            Parameter(command, cmdlet, parameter);
        }
        // Those past the second are -AdditionalChildPath, by position.
        if (cmdlet.Equals("Join-Path", StringComparison.OrdinalIgnoreCase) && PathParts(command) > 2)
        {
            Complain(command.Extent, "a third part of Join-Path");
        }
    }

    private void Parameter(CommandAst command, string cmdlet, CommandParameterAst parameter)
    {
        if (WindowsPowerShell51.IsLaterParameter(cmdlet, parameter.ParameterName))
        {
            Complain(parameter.Extent, $"the parameter -{parameter.ParameterName} of {cmdlet}");
        }
        bool isEncoding = parameter.ParameterName.StartsWith("En", StringComparison.OrdinalIgnoreCase)
            && "Encoding".StartsWith(parameter.ParameterName, StringComparison.OrdinalIgnoreCase)
            && WindowsPowerShell51.Cmdlets.Contains(cmdlet);
        Ast? value = parameter.Argument ?? command.CommandElements.ElementAtOrDefault(command.CommandElements.IndexOf(parameter) + 1);
        if (isEncoding && value is ConstantExpressionAst constant && !WindowsPowerShell51.Encodings.Contains($"{constant.Value}"))
        {
            Complain(constant.Extent, $"the encoding {constant.Value}");
        }
    }

    /// <summary>How many paths Join-Path gets: values without a name, and those of -Path and -ChildPath.</summary>
    private static int PathParts(CommandAst command) =>
        command.CommandElements.Zip(command.CommandElements.Skip(1), (before, element) =>
            element is not CommandParameterAst
            && (before is not CommandParameterAst { Argument: null } name || Regex.IsMatch(name.ParameterName, "^(pa|ch|r)", RegexOptions.IgnoreCase)))
            .Count(isPath => isPath);

    private static bool IsText(Ast value) => value is StringConstantExpressionAst text && !int.TryParse(text.Value, out _);

    private static string WithoutSystem(string typeName) => Regex.Replace(typeName, @"^System\.", "", RegexOptions.IgnoreCase);

    private void Complain(IScriptExtent where, string what) => complaints.Add($"{name}:{where.StartLineNumber}: {what}");
}
