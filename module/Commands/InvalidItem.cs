// How an item that is no target gets through a string[] parameter: as a fresh string that stands for it.
//
// -ComputerName is string[], as users and tools expect. An item that cannot become a string must neither fail the binding
// (that would end the call, or lose the valid items beside it) nor become some string that is then looked up as a name. A
// transformation may only return values for the parameter, so it returns a marker whose identity leads to the item.

using System.Runtime.CompilerServices;

namespace RustRunspaces.Commands;

internal static class InvalidItem
{
    // No name, address or range begins with this character, so other strings cost one comparison.
    private const char Mark = '\0';

    private static readonly ConditionalWeakTable<string, Item> Items = new ConditionalWeakTable<string, Item>();

    /// <summary>A new string that stands for the item.</summary>
    internal static string ToMarker(object? item)
    {
        string marker = new string(Mark, 1); // never an interned string: each call makes another one
        Items.Add(marker, new Item(item));
        return marker;
    }

    /// <summary>Whether the element of -ComputerName stands for an item that is no target, and which.</summary>
    internal static bool TryGet(string? element, out object? item)
    {
        item = null;
        if (element is null)
        {
            return true; // a null that was given
        }
        if (element.Length == 0 || element[0] != Mark || !Items.TryGetValue(element, out Item? found))
        {
            return false;
        }
        item = found.Value;
        return true;
    }

    private sealed class Item
    {
        internal Item(object? value)
        {
            Value = value;
        }

        internal object? Value { get; }
    }
}
