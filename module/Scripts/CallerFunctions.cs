// Functions of the caller's that its jobs call. A worker defines them as the caller did, from their syntax trees: so they keep their
// names, files and lines, and have the language mode of the session that they are in. Pipeline thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace RustRunspaces.Scripts;

internal sealed class CallerFunctions
{
    private readonly Dictionary<string, ScriptBlock> functions = new Dictionary<string, ScriptBlock>(StringComparer.OrdinalIgnoreCase);
    private readonly List<StatementAst> statements = new List<StatementAst>();

    internal int Count => functions.Count;

    /// <summary>Those that were set as blocks, `${function:Name} = { }`: names, and blocks of no runspace.</summary>
    internal Dictionary<string, ScriptBlock> Blocks { get; } = new Dictionary<string, ScriptBlock>();

    internal bool Contains(string name) => functions.ContainsKey(name);

    internal void Add(string name, ScriptBlock function)
    {
        if (Contains(name))
        {
            return;
        }
        functions.Add(name, function);
        var body = new BlockBody(function);
        if (body.Definition(name) is FunctionDefinitionAst definition)
        {
            statements.Add(definition);
        }
        else
        {
            Blocks.Add(name, body.Unbound());
        }
    }

    /// <summary>A block of no runspace that defines the others, which were written as functions; null where there are none.</summary>
    internal ScriptBlock? Definitions() => statements.Count == 0 ? null : Dispatch.Block(statements[0].Extent, statements.ToArray());

    /// <summary>Names and texts, for another machine.</summary>
    internal Hashtable ToTexts()
    {
        var texts = new Hashtable();
        foreach (KeyValuePair<string, ScriptBlock> function in functions)
        {
            texts[function.Key] = Text(function.Value);
        }
        return texts;
    }

    /// <summary>A text makes a function of any definition; what makes a filter is the block its statements are in.</summary>
    private static string Text(ScriptBlock function)
    {
        string text = function.ToString();
        ScriptBlockAst? body = function.Ast is FunctionDefinitionAst { IsFilter: true } ? Parser.ParseInput(text, out _, out _) : null;
        if (body?.EndBlock is not { Unnamed: true })
        {
            return text;
        }
        int start = body.ParamBlock?.Extent.EndOffset ?? 0;
        return text.Substring(0, start) + " process {" + text.Substring(start) + "\n}";
    }
}
