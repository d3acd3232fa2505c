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

    private static readonly HashSet<string> TodaysAccelerators = ((Dictionary<string, Type>)typeof(PSObject).Assembly
        .GetType("System.Management.Automation.TypeAccelerators")!.GetProperty("Get")!.GetValue(null)!)
        .Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);

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
            foreach (XmlNode block in document.SelectNodes("//*[local-name()='ScriptBlock' or local-name()='GetScriptBlock' or local-name()='Script']")!)
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
            case VariableExpressionAst variable when WindowsPowerShell51.LaterVariables.Contains(variable.VariablePath.UserPath):
                Complain(node.Extent, $"the variable ${variable.VariablePath.UserPath}");
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
                // [ordered] is none in either: the parser knows it.
                if (TodaysAccelerators.Contains(type.FullName) && !WindowsPowerShell51.Accelerators.Contains(type.FullName)
                    && !type.FullName.Equals("ordered", StringComparison.OrdinalIgnoreCase))
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
        string cmdlet = called switch { "%" or "foreach" => "ForEach-Object", "?" or "where" => "Where-Object", _ => called };
        // Without a hyphen it is a program or an alias; with one it must be known.
        if (Regex.IsMatch(cmdlet, @"^[A-Za-z]+-\w+$") && !WindowsPowerShell51.Cmdlets.Contains(cmdlet) && !ownCommands.Contains(cmdlet))
        {
            Complain(command.Extent, $"the command {cmdlet}");
        }
        foreach (CommandParameterAst parameter in command.CommandElements.OfType<CommandParameterAst>())
        {
            bool isLater = parameter.ParameterName.Equals("ProgressAction", StringComparison.OrdinalIgnoreCase)
                || WindowsPowerShell51.LaterParameters.Contains($"{cmdlet}:{parameter.ParameterName}");
            if (isLater)
            {
                Complain(parameter.Extent, $"the parameter -{parameter.ParameterName} of {cmdlet}");
            }
        }
        if (command.CommandElements.OfType<StringConstantExpressionAst>().FirstOrDefault(
            value => Regex.IsMatch(value.Value, "^utf8(No)?BOM$", RegexOptions.IgnoreCase)) is { } encoding)
        {
            Complain(encoding.Extent, $"the encoding {encoding.Value}");
        }
    }

    private void Complain(IScriptExtent where, string what) => complaints.Add($"{name}:{where.StartLineNumber}: {what}");
}
