// The hosts that a maximum wait or a stop cut off: how many, their names, and the first of them as text. Any thread.

using System.Collections.Generic;
using System.Linq;

namespace RustRunspaces.Results;

internal sealed class UnfinishedHosts
{
    private const int NamesShown = 5;

    private readonly List<KeyValuePair<long, string>> names = new List<KeyValuePair<long, string>>();

    internal long Count { get; private set; }

    /// <param name="place">How many targets came before it.</param>
    /// <param name="name">A host, or the expression that stands for several.</param>
    /// <param name="hosts">How many hosts that is.</param>
    internal void Add(long place, string name, long hosts)
    {
        lock (names)
        {
            Count += hosts;
            names.Add(new KeyValuePair<long, string>(place, name));
        }
    }

    /// <summary>Adds the places and names of all.</summary>
    internal void AddTo(List<KeyValuePair<long, string>> items)
    {
        lock (names)
        {
            items.AddRange(names);
        }
    }

    /// <summary>The first names, as in "web1, web2, ...".</summary>
    public override string ToString()
    {
        lock (names)
        {
            return string.Join(", ", names.Take(NamesShown).Select(name => name.Value)) + (names.Count > NamesShown ? ", ..." : "");
        }
    }
}
