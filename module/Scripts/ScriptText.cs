// The text that a worker runs for each job, made once per call from the caller's block or command. A caller's ScriptBlock
// belongs to its runspace and must not run in another one, so only its text travels. Pipeline thread; the result is immutable.
//
// InvokeScript assigns arguments in order and has no parameter binder. So a plain block runs as it is (the direct path); any
// other runs as `,$item | & { block } -Name $item @rest` (the bound path), where the engine binds. On the direct path $_, $Data
// and what comes by $using: are parameters before the block's own: the first look-up beyond a job's scope makes the engine copy
// two dozen variables into it, which costs more than calling the block.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;

namespace RustRunspaces.Scripts;

internal sealed class ScriptText
{
    /// <summary>
    /// Stands for the colon of $using: and marks our own names. It is a letter to the engine, so no name becomes longer and every
    /// position in the block stays what it was; and nobody types it, so no name of the block's is hidden.
    /// </summary>
    internal const char Mark = '\u02D0';

    internal const string CommandName = "Invoke-RustParallel";

    /// <summary>The command of this module, as a block may name it where its name alone is another's.</summary>
    internal const string QualifiedCommand = "RustRunspaces\\" + CommandName;

    /// <summary>What the workers' sessions know it by.</summary>
    internal const string QualifiedCommandName = "RustRunspaces\u02D0" + CommandName;

    internal const string DataVariable = "Data";
    internal const string ScriptRootName = "PSScriptRo\u02D0t";
    internal const string CommandPathName = "PSCommandP\u02D0th";

    private const string ItemVariable = "_";
    private const string UsingPrefix = "using\u02D0";
    private const string ItemName = "item\u02D0";
    private const string RestName = "rest\u02D0";
    private const string NamedName = "named\u02D0";
    private const string BoundParameters = "param($" + ItemName + ",$" + RestName + ",$" + NamedName + ")";

    // Beyond that the columns of an error's first line are not worth the copying.
    private const int MaximumIndent = 120;

    private readonly bool isBound;
    private readonly bool takesItem;
    private readonly IReadOnlyList<string> locals;
    private readonly string? oddName;

    private ScriptText(string text, BlockContents contents, bool takesItem, IReadOnlyList<string> locals)
    {
        Text = text;
        Contents = contents;
        this.takesItem = takesItem;
        this.locals = locals;
    }

    /// <summary>A bound text: `param($item, $rest, $named)`.</summary>
    /// <param name="text">For InvokeScript.</param>
    /// <param name="contents">Of the block.</param>
    /// <param name="oddName">The item's parameter where its name cannot stand after a dash: it comes in $named.</param>
    private ScriptText(string text, BlockContents contents, string? oddName)
    {
        Text = text;
        Contents = contents;
        this.oddName = oddName;
        isBound = true;
        locals = Array.Empty<string>();
    }

    /// <summary>The text for InvokeScript; the same string for every job, so that the engine compiles it once.</summary>
    internal string Text { get; }

    internal BlockContents Contents { get; }

    /// <summary>The name of a worker's variable for what the block calls $using:path.</summary>
    internal static string UsingName(string path) => UsingPrefix + path.Replace(':', Mark);

    /// <summary>The path after $using: that a worker's variable stands for; null for any other variable.</summary>
    internal static string? UsingPath(string name) =>
        name.StartsWith(UsingPrefix, StringComparison.OrdinalIgnoreCase) ? name.Substring(UsingPrefix.Length).Replace(Mark, ':') : null;

    internal static ScriptText FromBlock(ScriptBlock block)
    {
        ScriptBlockAst body = block.Ast as ScriptBlockAst ?? Parse(block.ToString());
        BlockContents contents = BlockReader.Read(body);
        var source = new BlockSource(body);
        bool isPlain = IsPlain(body, out string? itemParameter, out bool isFirst);
        bool isDirect = isPlain && (itemParameter is null || isFirst);
        Rename(source, contents);
        string head = Head(source, body);
        if (isDirect)
        {
            string[] locals = Locals(body, contents).ToArray();
            if (locals.Length > 0)
            {
                head += Declare(source, body, locals);
            }
            if (contents.HasItem && !locals.Contains(ItemVariable))
            {
                KeepItem(source, body.EndBlock, "_");
            }
            return new ScriptText(source.Direct(head), contents, takesItem: itemParameter is not null, locals);
        }
        if (contents.HasItem)
        {
            KeepItem(source, body.BeginBlock, ItemName);
            KeepItem(source, body.ProcessBlock, ItemName);
            KeepItem(source, body.EndBlock, ItemName);
        }
        string? oddName = itemParameter is null || IsSimpleName(itemParameter) ? null : itemParameter;
        return new ScriptText(source.Bound(head, BoundPrefix(body, itemParameter), BoundSuffix(body, itemParameter, oddName)), contents, oddName);
    }

    /// <summary>A block that runs once in each runspace, in its global scope.</summary>
    internal static ScriptText FromInitialization(ScriptBlock block)
    {
        ScriptBlockAst body = block.Ast as ScriptBlockAst ?? Parse(block.ToString());
        BlockContents contents = BlockReader.Read(body);
        var source = new BlockSource(body);
        Rename(source, contents);
        return new ScriptText(source.Direct(Head(source, body)), contents, takesItem: false, Array.Empty<string>());
    }

    /// <summary>Runs a command by name: the item is bound to one parameter, the others are the same for every job.</summary>
    internal static ScriptText FromCommand(string command, string itemParameter) =>
        new ScriptText(
            $"{BoundParameters} & '{CodeGeneration.EscapeSingleQuotedStringContent(command)}' -{itemParameter} ${ItemName} @{RestName}",
            new BlockContents { IsLean = false },
            oddName: null);

    /// <summary>What is the same in every job's arguments.</summary>
    /// <param name="variables">What the call brings along, by name; all that the text takes by a name other than $_ is there.</param>
    /// <param name="rest">-ArgumentList as an array, or the fixed parameters of a command as a dictionary.</param>
    internal object?[] FixedArguments(Func<string, object?> variables, object rest)
    {
        if (isBound)
        {
            return new[] { null, rest, null };
        }
        var arguments = new List<object?>(locals.Select(name => name == ItemVariable ? null : variables(name)));
        if (takesItem)
        {
            arguments.Add(null);
        }
        arguments.AddRange((object?[])rest);
        return arguments.ToArray();
    }

    /// <summary>What InvokeScript hands to the text.</summary>
    /// <param name="item">The host or item.</param>
    /// <param name="rest">Of <see cref="FixedArguments"/>.</param>
    internal object?[] ArgumentsFor(object? item, object?[] rest)
    {
        var arguments = (object?[])rest.Clone();
        if (isBound)
        {
            arguments[0] = item;
            arguments[2] = oddName is null ? null : new Hashtable { [oddName] = item };
        }
        if (locals.Count > 0 && locals[0] == ItemVariable)
        {
            arguments[0] = item;
        }
        if (takesItem)
        {
            arguments[locals.Count] = item;
        }
        return arguments;
    }

    /// <summary>Names of the variables that a plain block takes as parameters of its own; $_ is the first.</summary>
    private static IEnumerable<string> Locals(ScriptBlockAst body, BlockContents contents)
    {
        var names = new List<string>();
        if (contents.HasItem)
        {
            names.Add(ItemVariable);
        }
        if (contents.HasData)
        {
            names.Add(DataVariable);
        }
        names.AddRange(contents.Using.Select(UsingName));
        if (body.ParamBlock is ParamBlockAst block)
        {
            if (ParametersStart(block) < 0)
            {
                return Array.Empty<string>();
            }
            names.RemoveAll(name => block.Parameters.Any(parameter => parameter.Name.VariablePath.UserPath.Equals(name, StringComparison.OrdinalIgnoreCase)));
        }
        return body.EndBlock.Statements.Count == 0 ? Array.Empty<string>() : names.Where(name => IsSimpleName(name));
    }

    /// <summary>A variable or parameter may have this name without braces.</summary>
    private static bool IsSimpleName(string name) => name.Length > 0 && name.All(letter => char.IsLetterOrDigit(letter) || letter == '_');

    /// <summary>The offset after `param(`; -1 where a comment stands between.</summary>
    private static int ParametersStart(ParamBlockAst block)
    {
        string text = block.Extent.Text;
        int parenthesis = text.IndexOf('(');
        return text.Substring(0, parenthesis).TrimEnd().Equals("param", StringComparison.OrdinalIgnoreCase)
            ? block.Extent.StartOffset + parenthesis + 1
            : -1;
    }

    /// <returns>What stands before the block, where it has no parameters of its own.</returns>
    private static string Declare(BlockSource source, ScriptBlockAst body, string[] locals)
    {
        string list = string.Join(",", locals.Select(name => "$" + name));
        if (body.ParamBlock is ParamBlockAst block)
        {
            source.Insert(ParametersStart(block), block.Parameters.Count == 0 ? list : list + ",");
            return "";
        }
        return $"param({list});";
    }

    /// <summary>
    /// An assignment of its own makes $_ survive catch blocks, which restore what their scope had, and gives it to blocks that the
    /// engine runs without.
    /// </summary>
    private static void KeepItem(BlockSource source, NamedBlockAst? block, string variable)
    {
        if (block?.Statements.Count > 0)
        {
            source.Insert(block.Statements[0].Extent.StartOffset, $"$_=${variable};");
        }
    }

    private static ScriptBlockAst Parse(string text) => Parser.ParseInput(text, out _, out _);

    private static void Rename(BlockSource source, BlockContents contents)
    {
        foreach (IScriptExtent extent in contents.Replaced)
        {
            source.Replace(extent.StartOffset, Renamed(extent.Text));
        }
        foreach (IScriptExtent extent in contents.Qualified)
        {
            source.Replace(extent.StartOffset, extent.Text.Replace('\\', Mark));
        }
    }

    /// <summary>The same length, so that nothing moves: a splatted, braced or plain variable with our own name.</summary>
    private static string Renamed(string variable)
    {
        string name = variable.TrimStart('$', '@', '{').TrimEnd('}');
        if (name.Equals("PSScriptRoot", StringComparison.OrdinalIgnoreCase))
        {
            return variable.Replace(name, ScriptRootName);
        }
        return name.Equals("PSCommandPath", StringComparison.OrdinalIgnoreCase)
            ? variable.Replace(name, CommandPathName)
            : variable.Replace(':', Mark);
    }

    /// <summary>
    /// `using` statements, which can only stand at the beginning. Those of the file that a literal stands in, which its text alone
    /// does not have: but for `using module`, whose types belong to the caller's runspace. Those of a text of its own move there.
    /// </summary>
    private static string Head(BlockSource source, ScriptBlockAst body)
    {
        Ast root = body;
        while (root.Parent is not null)
        {
            root = root.Parent;
        }
        if (root is not ScriptBlockAst file || file.UsingStatements is null)
        {
            return "";
        }
        IEnumerable<UsingStatementAst> statements = file.UsingStatements;
        if (root == body)
        {
            foreach (UsingStatementAst statement in statements)
            {
                source.Replace(statement.Extent.StartOffset, new string(' ', statement.Extent.Text.Length));
            }
        }
        else
        {
            statements = statements.Where(statement => statement.UsingStatementKind is UsingStatementKind.Namespace or UsingStatementKind.Assembly);
        }
        return string.Concat(statements.Select(statement => statement.Extent.Text.TrimEnd(';') + ";"));
    }

    /// <summary>Plain: nothing that needs the parameter binder. A type constraint does not, its conversion is the variable's.</summary>
    private static bool IsPlain(ScriptBlockAst body, out string? itemParameter, out bool isFirst)
    {
        itemParameter = null;
        isFirst = false;
        bool isPlain = body.BeginBlock is null && body.ProcessBlock is null && body.DynamicParamBlock is null
            && (body.EndBlock?.Unnamed ?? false);
        if (body.ParamBlock is null)
        {
            return isPlain;
        }
        IReadOnlyList<ParameterAst> parameters = body.ParamBlock.Parameters;
        for (int i = 0; i < parameters.Count; i++)
        {
            isPlain &= parameters[i].StaticType != typeof(SwitchParameter)
                && parameters[i].Attributes.All(attribute => attribute is TypeConstraintAst);
            string name = parameters[i].Name.VariablePath.UserPath;
            if (i == 0 || name.Equals("ComputerName", StringComparison.OrdinalIgnoreCase))
            {
                itemParameter = name;
                isFirst = i == 0;
            }
        }
        return isPlain && body.ParamBlock.Attributes.Count == 0;
    }

    private static string BoundPrefix(ScriptBlockAst body, string? itemParameter) =>
        IsPiped(body, itemParameter) ? $"{BoundParameters} ,${ItemName} | & " : $"{BoundParameters} & ";

    private static string BoundSuffix(ScriptBlockAst body, string? itemParameter, string? oddName)
    {
        if (itemParameter is null || TakesPipeline(body, itemParameter))
        {
            return " @" + RestName;
        }
        // The colon binds to a switch, too.
        return oddName is null ? $" -{itemParameter}:${ItemName} @{RestName}" : $" @{NamedName} @{RestName}";
    }

    /// <summary>
    /// A simple block takes whatever is piped. An advanced one reports input that none of its parameters takes, so it gets the item
    /// through the pipe only if it asks for it there.
    /// </summary>
    private static bool IsPiped(ScriptBlockAst body, string? itemParameter) =>
        !IsAdvanced(body) || (itemParameter is not null && TakesPipeline(body, itemParameter));

    private static bool IsAdvanced(ScriptBlockAst body) =>
        body.ParamBlock is not null
        && (body.ParamBlock.Attributes.Any(attribute => IsNamed(attribute, "CmdletBinding"))
            || body.ParamBlock.Parameters.Any(parameter => ParameterAttributes(parameter).Any()));

    private static bool TakesPipeline(ScriptBlockAst body, string itemParameter) =>
        body.ParamBlock is not null
        && body.ParamBlock.Parameters
            .Where(parameter => parameter.Name.VariablePath.UserPath.Equals(itemParameter, StringComparison.OrdinalIgnoreCase))
            .SelectMany(ParameterAttributes)
            .SelectMany(attribute => attribute.NamedArguments)
            .Any(argument => argument.ArgumentName.Equals("ValueFromPipeline", StringComparison.OrdinalIgnoreCase)
                && (argument.ExpressionOmitted || !argument.Argument.Extent.Text.Equals("$false", StringComparison.OrdinalIgnoreCase)));

    private static IEnumerable<AttributeAst> ParameterAttributes(ParameterAst parameter) =>
        parameter.Attributes.OfType<AttributeAst>().Where(attribute => IsNamed(attribute, "Parameter"));

    private static bool IsNamed(AttributeAst attribute, string name) =>
        attribute.TypeName.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || attribute.TypeName.Name.Equals(name + "Attribute", StringComparison.OrdinalIgnoreCase);

    /// <summary>A block's own text with what has been changed in it. Offsets are those of the tree.</summary>
    private sealed class BlockSource
    {
        private readonly StringBuilder text;
        private readonly bool isLiteral;
        private readonly int line;
        private readonly int column;
        // The last one first, so that making one moves none of the others.
        private readonly List<Insertion> insertions = new List<Insertion>();

        internal BlockSource(ScriptBlockAst body)
        {
            string whole = body.Extent.Text;
            // A literal's extent includes its braces.
            isLiteral = body.Parent is not null && whole.Length >= 2 && whole[0] == '{' && whole[whole.Length - 1] == '}';
            int skipped = isLiteral ? 1 : 0;
            text = new StringBuilder(whole, skipped, whole.Length - (2 * skipped), whole.Length);
            Start = body.Extent.StartOffset + skipped;
            line = body.Extent.StartLineNumber;
            column = body.Extent.StartColumnNumber + skipped;
        }

        internal int Start { get; }

        internal void Replace(int offset, string replacement)
        {
            text.Remove(offset - Start, replacement.Length);
            text.Insert(offset - Start, replacement);
        }

        /// <summary>Takes effect when the text is made, so that offsets stay what they are.</summary>
        internal void Insert(int offset, string inserted)
        {
            int index = insertions.FindIndex(insertion => insertion.Index < offset - Start);
            insertions.Insert(index < 0 ? insertions.Count : index, new Insertion(offset - Start, inserted));
        }

        internal string Direct(string head) => Padded(head, column - 1).Append(Body()).ToString();

        internal string Bound(string head, string prefix, string suffix)
        {
            // The line break after & is escaped, so the block begins on its own line at its own column.
            StringBuilder result = line > 1
                ? new StringBuilder(head).Append('\n', line - 2).Append(prefix).Append("`\n").Append(' ', Math.Min(MaximumIndent, Math.Max(0, column - 2)))
                : new StringBuilder(head).Append(prefix);
            // A text that is no literal may end in a comment.
            return result.Append('{').Append(Body()).Append(isLiteral ? "}" : "\n}").Append(suffix).ToString();
        }

        private StringBuilder Padded(string head, int indent)
        {
            var result = new StringBuilder(head).Append('\n', line - 1);
            return line > 1 ? result.Append(' ', Math.Min(MaximumIndent, indent)) : result;
        }

        private string Body()
        {
            foreach (Insertion insertion in insertions)
            {
                text.Insert(insertion.Index, insertion.Text);
            }
            insertions.Clear();
            return text.ToString();
        }

        private sealed class Insertion
        {
            internal Insertion(int index, string text)
            {
                Index = index;
                Text = text;
            }

            internal int Index { get; }

            internal string Text { get; }
        }
    }
}
