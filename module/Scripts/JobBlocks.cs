// Makes of the caller's block, or of a command's name, what workers run for each job. The caller's block belongs to its runspace
// and must not run in another one, so its syntax tree becomes a block of no runspace: nothing of its text changes. Pipeline thread.
//
// Workers hand arguments over in order, without the parameter binder. A plain block gets them as they are, and so does one whose
// attributes do nothing; any other one runs inside a dispatching block that calls it as a command, so that the engine binds. On the direct path $_ and $Data are parameters
// before the block's own: the first look-up beyond a job's scope makes the engine copy two dozen variables into it.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Scripts;

internal static class JobBlocks
{
    private const string ItemVariable = "_";

    /// <param name="block">The caller's.</param>
    /// <param name="contents">Of the block.</param>
    /// <param name="data">The hashtable of the host form; null where there is none.</param>
    /// <param name="rest">-ArgumentList.</param>
    internal static JobBlock FromBlock(ScriptBlock block, BlockContents contents, Hashtable? data, object?[] rest)
    {
        var body = new BlockBody(block);
        // Without a param block $args[0] is the item, unless the item has another name and the place is another argument's.
        bool isFirstArgument = !body.HasParamBlock && contents.HasArguments && (!contents.HasItem || (contents.IndexesArguments && rest.Length == 0));
        if (body.IsPlain && !contents.HasBoundParameters)
        {
            return Direct(body, contents, data, rest, isFirstArgument);
        }
        JobBlock bound = Bound(body, contents, rest, isFirstArgument);
        if (!body.HasIdleAttributes || !contents.IsLean || contents.NamesItsCall || contents.HasArguments || contents.HasBoundParameters || rest.Length > 0)
        {
            return bound;
        }
        JobBlock direct = Direct(body, contents, data, rest, isFirstArgument);
        if (body.IsParticular)
        {
            direct.Takes = IsOneValue;
            direct.Otherwise = bound;
        }
        return direct;
    }

    /// <summary>-InitializationScript, which runs once in each runspace. Jobs that go on without their connection are worse than none.</summary>
    internal static ScriptBlock Initialization(ScriptBlock block) => Dispatch.Unforgiving(new BlockBody(block).Unbound());

    /// <summary>Runs a command by name: the item is bound to one parameter, the others are the same for every job.</summary>
    /// <param name="position">Where errors say that the command was called.</param>
    /// <param name="command">Means the same command in every worker.</param>
    /// <param name="itemParameter">Of the command.</param>
    /// <param name="parameters">The fixed ones.</param>
    /// <param name="formOf">How the command gets a parameter of that name.</param>
    internal static JobBlock FromCommand(IScriptExtent position, string command, string itemParameter, Hashtable parameters, Func<string, ParameterForm> formOf)
    {
        var elements = new List<CommandElementAst>();
        void Add(string name, ParameterForm form, Func<IScriptExtent, ExpressionAst> value)
        {
            switch (form)
            {
                case ParameterForm.Bound:
                    elements.Add(new CommandParameterAst(position, name, value(position), position));
                    break;
                case ParameterForm.OneText:
                    elements.Add(Dispatch.TextParameter(position, name, $"-{name}:", value));
                    break;
                default:
                    elements.Add(Dispatch.TextParameter(position, name, "-" + name, null));
                    elements.Add(value(position));
                    break;
            }
        }
        ParameterForm item = formOf(itemParameter);
        Add(itemParameter, item == ParameterForm.OneText ? ParameterForm.TwoTexts : item, Dispatch.Item);
        var values = new object?[1 + parameters.Count];
        values[0] = command;
        int place = 0;
        foreach (DictionaryEntry parameter in parameters)
        {
            string name = parameter.Key.ToString();
            int own = ++place;
            values[own] = parameter.Value;
            Add(name, formOf(name), at => Dispatch.Value(at, values, own));
        }
        return new JobBlock(Dispatch.Block(position, values, elements, isPiped: false), Array.Empty<object?>()) { CallsAt = position };
    }

    /// <summary>Every mandatory parameter takes it, and every way of converting it to text is the same.</summary>
    private static bool IsOneValue(object? item)
    {
        object? plain = item is PSObject wrapped ? wrapped.BaseObject : item;
        return plain is string text ? text.Length > 0 : plain is not null and not IEnumerable;
    }

    private static JobBlock Direct(BlockBody body, BlockContents contents, Hashtable? data, object?[] rest, bool isFirstArgument)
    {
        var arguments = new List<object?>();
        var itemPlaces = new List<int>();
        var parameters = new List<ParameterAst>();
        bool takesItem = contents.HasItem && !body.HasParameter(ItemVariable);
        // A tree that cannot be composed finds $_ and $Data beyond its scope.
        if (takesItem && body.CanBeComposed)
        {
            itemPlaces.Add(arguments.Count);
            arguments.Add(null);
            parameters.Add(body.NewParameter(ItemVariable));
        }
        if (contents.HasData && data is not null && body.CanBeComposed && !body.HasParameter(SessionTemplate.DataVariable))
        {
            arguments.Add(data);
            parameters.Add(body.NewParameter(SessionTemplate.DataVariable));
        }
        if (body.Parameters.Count > 0 || isFirstArgument)
        {
            itemPlaces.Add(arguments.Count);
            arguments.Add(null);
        }
        arguments.AddRange(rest);
        return new JobBlock(body.Composed(parameters, takesItem && contents.RestoresItem ? ItemVariable : null), arguments.ToArray(), itemPlaces.ToArray());
    }

    private static JobBlock Bound(BlockBody body, BlockContents contents, object?[] rest, bool isFirstArgument)
    {
        ScriptBlock called = body.Composed(
            Array.Empty<ParameterAst>(),
            contents.HasItem && !body.HasParameter(ItemVariable) ? Dispatch.ItemVariable : null,
            keepsParts: body.TakesItemFromPipeline || body.PropertyNames.Length > 0);
        IScriptExtent extent = body.Extent;
        object?[] values = new object?[] { called }.Concat(rest).ToArray();
        JobBlock Make(bool isPiped, bool isNamed)
        {
            var elements = new List<CommandElementAst>();
            if (isNamed && body.ItemParameter is string name)
            {
                // The value with the name, so that it is bound to a switch, too.
                elements.Add(new CommandParameterAst(extent, name, Dispatch.Item(extent), extent));
            }
            else if (isFirstArgument)
            {
                elements.Add(Dispatch.Item(extent));
            }
            elements.AddRange(rest.Select((_, place) => Dispatch.Value(extent, values, place + 1)));
            return new JobBlock(Dispatch.Block(extent, values, elements, isPiped), Array.Empty<object?>()) { CallsAt = extent };
        }
        bool takesValue = body.TakesItemFromPipeline;
        // A simple block takes whatever is piped. An advanced one reports input that none of its parameters takes.
        JobBlock usual = Make(isPiped: takesValue || !body.IsAdvanced, isNamed: !takesValue);
        string[] properties = body.PropertyNames;
        if (properties.Length == 0)
        {
            return usual;
        }
        JobBlock piped = Make(isPiped: true, isNamed: !takesValue && !body.TakesItemByProperty);
        piped.Takes = item => item is not null && properties.Any(property => PSObject.AsPSObject(item).Properties[property] is not null);
        piped.Otherwise = usual;
        return piped;
    }
}
