// One session of a run, as the near side sees it: its link, what it was told to do, whether it is still any good. The thread that
// advances the run.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace RustRunspaces.Sites;

internal enum SiteState
{
    /// <summary>Has not said who it is.</summary>
    Starting,

    /// <summary>Works.</summary>
    Ready,

    /// <summary>Never began: the module is not there, or of another version, or cannot be used there.</summary>
    Unusable,

    /// <summary>Went away, fell silent, or answered nonsense.</summary>
    Lost,
}

internal class Site
{
    /// <param name="number">Among the sessions of the call, from 0.</param>
    /// <param name="name">Unlike those of all others of the call.</param>
    /// <param name="link">To its session.</param>
    internal Site(int number, string name, SiteLink link)
    {
        Number = number;
        Name = name;
        Link = link;
    }

    internal int Number { get; }

    /// <summary>The computer's name; where a call has several sessions to it, with the session's.</summary>
    internal string Name { get; }

    internal SiteLink Link { get; }

    internal SiteState State { get; set; } = SiteState.Starting;

    /// <summary>Takes work, now or as soon as it is ready.</summary>
    internal bool IsAlive => State is SiteState.Starting or SiteState.Ready;

    /// <summary>It has said all that it had to say: it may end.</summary>
    internal bool IsDone { get; set; }

    /// <summary>What keeps it from being used; null while nothing does.</summary>
    internal string? Problem { get; set; }

    /// <summary>The module of the right version would help.</summary>
    internal bool LacksModule { get; set; }

    /// <summary>Names that no two sessions share.</summary>
    internal static string[] NamesOf(IReadOnlyList<PSSession> sessions)
    {
        return sessions.Select(session =>
        {
            bool isOnly = sessions.Count(other => string.Equals(other.ComputerName, session.ComputerName, StringComparison.OrdinalIgnoreCase)) == 1;
            return isOnly ? session.ComputerName : $"{session.ComputerName} ({session.Name})";
        }).ToArray();
    }

    /// <summary>The message in what came; whatever is no message is an <see cref="InvalidDataException"/>.</summary>
    internal static MessageReader Read(PSObject? item) => item?.BaseObject is byte[] message
        ? new MessageReader(message)
        : throw new InvalidDataException($"something came that is no message: {Shorten(item?.ToString() ?? "$null")}");

    private static string Shorten(string text) => text.Length > 80 ? text.Substring(0, 80) + "..." : text;
}
