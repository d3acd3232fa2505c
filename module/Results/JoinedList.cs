// The type of every list in a result.

using System.Collections.Generic;
using System.Collections.ObjectModel;

namespace RustRunspaces;

/// <summary>A fixed list whose text is its items with a space between: Export-Csv writes that, not a type name.</summary>
/// <typeparam name="T">The type of the items.</typeparam>
public sealed class JoinedList<T> : ReadOnlyCollection<T>
{
    internal JoinedList(IList<T> items) : base(items)
    {
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(" ", Items);
}
