// What the -Property parameters take: a name (with wildcards), a script block, or a dictionary
// with Name/Label and Expression. Called on the pipeline thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

internal sealed class PropertyExpression
{
    private readonly PSPropertyExpression _expression;

    private PropertyExpression(PSPropertyExpression expression, string? label, bool? descending)
    {
        _expression = expression;
        Label = label;
        Descending = descending;
    }

    /// <summary>The name asked for; null when the property's own name stands.</summary>
    public string? Label { get; }

    /// <summary>The order this key asks for itself; null when the cmdlet's switch decides.</summary>
    public bool? Descending { get; }

    public static PropertyExpression[] Parse(object[]? properties) =>
        (properties ?? Array.Empty<object>()).Select(Parse).ToArray();

    /// <summary>The named values; a name without wildcards that is absent gives null.</summary>
    public IEnumerable<KeyValuePair<string, object?>> Values(PSObject item)
    {
        List<PSPropertyExpressionResult> results = _expression.GetValues(item);
        if (results.Count == 0 && !_expression.HasWildCardCharacters)
        {
            yield return new KeyValuePair<string, object?>(Label ?? _expression.ToString(), null);
        }
        foreach (PSPropertyExpressionResult result in results)
        {
            string name = Label ?? result.ResolvedExpression.ToString();
            yield return new KeyValuePair<string, object?>(name, result.Result);
        }
    }

    public object? FirstValue(PSObject item) => Values(item).FirstOrDefault().Value;

    private static PropertyExpression Parse(object property)
    {
        object plain = property is PSObject wrapped ? wrapped.BaseObject : property;
        if (plain is not IDictionary dictionary)
        {
            return new PropertyExpression(Expression(plain), null, null);
        }

        object? expression = null;
        string? label = null;
        bool? descending = null;
        foreach (DictionaryEntry entry in dictionary)
        {
            string key = entry.Key.ToString()!;
            if (IsKey(key, "Expression"))
            {
                expression = entry.Value is PSObject value ? value.BaseObject : entry.Value;
            }
            else if (IsKey(key, "Name") || IsKey(key, "Label"))
            {
                label = LanguagePrimitives.ConvertTo<string>(entry.Value);
            }
            else if (IsKey(key, "Descending"))
            {
                descending = LanguagePrimitives.IsTrue(entry.Value);
            }
            else if (IsKey(key, "Ascending"))
            {
                descending = !LanguagePrimitives.IsTrue(entry.Value);
            }
            else
            {
                throw new PSArgumentException($"The key '{key}' is not valid in a property");
            }
        }
        return new PropertyExpression(
            Expression(expression ?? throw new PSArgumentException("A property needs the key 'Expression'")),
            label,
            descending);
    }

    private static bool IsKey(string given, string key) =>
        given.Length > 0 && key.StartsWith(given, StringComparison.OrdinalIgnoreCase);

    private static PSPropertyExpression Expression(object value) => value is ScriptBlock block
        ? new PSPropertyExpression(block)
        : new PSPropertyExpression(LanguagePrimitives.ConvertTo<string>(value));
}
