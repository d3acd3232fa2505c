// The hosts that a maximum wait cut off: how many, and the first names.

using System.Collections.Generic;

namespace RustRunspaces.Results;

internal sealed class UnfinishedHosts
{
    private const int NamesShown = 5;

    private readonly List<string> firstNames = new List<string>();
    private bool hasMoreNames;

    internal long Count { get; private set; }

    /// <param name="name">A host, or the expression that stands for several.</param>
    /// <param name="hosts">How many hosts that is.</param>
    internal void Add(string name, long hosts)
    {
        Count += hosts;
        if (firstNames.Count < NamesShown)
        {
            firstNames.Add(name);
        }
        else
        {
            hasMoreNames = true;
        }
    }

    /// <summary>The first names, as in "web1, web2, ...".</summary>
    public override string ToString() => string.Join(", ", firstNames) + (hasMoreNames ? ", ..." : "");
}
