// What every run shares that speaks with this module in its sessions: starts their far sides, takes what they say, finds out which of
// them are gone, says what happened. Decides nothing about who does what: that is the derived run's. The thread that advances the
// run, but for Cancel, Figures and OpenItems.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;
using System.Threading.Tasks;
using RustRunspaces.Output;

namespace RustRunspaces.Sites;

internal abstract class SiteRun<TSite> : SessionRun
    where TSite : Site
{
    // Well below the lease, for a sign may be late.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);

    // Asks for the cmdlet before its module's version can differ: only what was imported or is where modules are is found.
    private const string FarScript = @"param($Work, $IsVerbose, $IsDebug)
if (Get-Command -Name Invoke-RustParallelSite -ErrorAction Ignore) { Invoke-RustParallelSite -Source $input -Work $Work -Verbose:$IsVerbose -Debug:$IsDebug }
elseif (Get-Command -Name Invoke-RustParallel -ErrorAction Ignore) { 'RustRunspaces: another version' }
else { 'RustRunspaces: not there' }";

    private readonly Timer signOfLife;
    private readonly SshInputPipes pipes;
    private readonly HashSet<TSite> saidUnusable = new HashSet<TSite>();
    private bool isEnding;

    /// <summary>Opens nothing yet: <see cref="Start"/> does.</summary>
    private protected SiteRun(ISink sink, IReadOnlyList<PSSession> sessions, double limitSeconds, Func<int, string, SiteLink, TSite> make)
        : base(sink, limitSeconds)
    {
        pipes = SshInputPipes.Hold(sessions);
        string[] names = Site.NamesOf(sessions);
        Sites = sessions.Select((session, number) => make(number, names[number], LinkTo(session))).ToArray();
        signOfLife = new Timer(_ => SaySignOfLife(), null, SignOfLife, SignOfLife);
    }

    private protected TSite[] Sites { get; }

    private protected override IEnumerable<SiteLink> Links => Sites.Select(site => site.Link);

    /// <summary>Not those that were lost.</summary>
    private protected override IEnumerable<SiteLink> LinksToAwait => Sites.Where(site => site.State != SiteState.Lost).Select(site => site.Link);

    /// <summary>No more will be added.</summary>
    private protected bool IsInputClosed { get; private set; }

    /// <summary>Whether anybody is left to work.</summary>
    private protected bool IsAnyAlive => Sites.Any(site => site.IsAlive);

    /// <inheritdoc/>
    public override void CloseInput()
    {
        IsInputClosed = true;
        HandOut();
    }

    /// <inheritdoc/>
    public override void Deliver()
    {
        foreach (TSite site in Sites)
        {
            Deliver(site);
        }
        SayUnusable(isLast: false);
        if (!isEnding && (IsCancelled || (IsLimitOver && !IsComplete)))
        {
            IsLimitReached = !IsCancelled;
            GiveUp();
        }
        else if (!isEnding && !IsAnyAlive && !IsComplete)
        {
            GiveUp();
        }
        else if (!isEnding)
        {
            HandOut();
        }
    }

    /// <summary>Those that are done leave by themselves.</summary>
    private protected override void BeginEnd()
    {
        isEnding = true;
        signOfLife.Dispose();
        foreach (TSite site in Sites)
        {
            if (IsComplete && !IsCancelled && !IsLimitReached && site.State == SiteState.Ready)
            {
                site.Link.CompleteInput();
            }
            else
            {
                site.Link.BeginStop();
            }
        }
    }

    /// <inheritdoc/>
    private protected override void End(Task written) => written.ContinueWith(_ => pipes.Release(), TaskScheduler.Default);

    /// <summary>Starts every far side with its work; once, by the derived run when it is ready for answers.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="isVerbose">Jobs write verbose records.</param>
    /// <param name="isDebug">Jobs write debug records.</param>
    private protected void Start(byte[] work, bool isVerbose = false, bool isDebug = false)
    {
        foreach (TSite site in Sites)
        {
            site.Link.Start(pipeline => pipeline
                .AddScript(FarScript)
                .AddParameter("Work", work)
                .AddParameter("IsVerbose", isVerbose)
                .AddParameter("IsDebug", isDebug));
        }
    }

    /// <summary>One message of a ready site's. Whatever does not fit is an <see cref="InvalidDataException"/>.</summary>
    private protected abstract void Take(TSite site, MessageReader message);

    /// <summary>Gives work to sites that need some.</summary>
    private protected abstract void HandOut();

    /// <summary>A site is no more: its unfinished work goes elsewhere.</summary>
    /// <returns>What became of it, for the warning; null where it had none.</returns>
    private protected abstract string? Lose(TSite site);

    /// <summary>Ends everything that is unfinished, without waiting for anybody.</summary>
    private protected abstract void EndUnfinished();

    /// <summary>What the call is refused for when no session could be used at all; null where one could.</summary>
    private protected ErrorRecord? Refusal() => Sites.All(site => site.State == SiteState.Unusable)
        ? SiteErrors.Unusable(Sites, OwnVersion, isAll: true)
        : null;

    /// <summary>Whether the run ended because nobody was left.</summary>
    private protected bool AreAllLost => !IsLimitReached && !IsCancelled && !IsAnyAlive;

    private static string OwnVersion => typeof(Site).Assembly.GetName().Version?.ToString(3) ?? "";

    private void SaySignOfLife()
    {
        byte[] alive = new MessageWriter().ToArray(MessageKind.Alive, 0);
        foreach (TSite site in Sites)
        {
            if (!site.Link.HasEnded)
            {
                site.Link.Send(alive);
            }
        }
    }

    private void Deliver(TSite site)
    {
        // First whether it has ended: what it wrote before is in the queue by then.
        bool hasEnded = site.Link.HasEnded;
        while (site.Link.TryTake(out PSObject? item))
        {
            if (!site.IsAlive || isEnding)
            {
                continue;
            }
            try
            {
                if (site.State == SiteState.Starting)
                {
                    Greet(site, item);
                }
                else
                {
                    TakeMessage(site, Site.Read(item));
                }
            }
            catch (InvalidDataException error)
            {
                GiveUp(site, SiteState.Lost, $"it answered nonsense ({error.Message})");
            }
        }
        if (!site.IsAlive || isEnding)
        {
            return;
        }
        if (hasEnded && site.IsDone && site.Link.State == PSInvocationState.Completed)
        {
            return; // as it was told
        }
        if (hasEnded)
        {
            GiveUp(site, site.State == SiteState.Starting ? SiteState.Unusable : SiteState.Lost, site.Link.Problem);
        }
        else if (site.Link.Silence > FarLink.Lease)
        {
            GiveUp(site, SiteState.Lost, SiteErrors.Silence);
        }
    }

    private void TakeMessage(TSite site, MessageReader message)
    {
        if (message.Kind != MessageKind.Failure)
        {
            Take(site, message);
            return;
        }
        _ = message.Text();
        string reason = message.Text() ?? "it failed";
        message.End();
        GiveUp(site, SiteState.Unusable, reason);
    }

    private void Greet(TSite site, PSObject? item)
    {
        string? version = null;
        if (item?.BaseObject is string text)
        {
            site.LacksModule = true;
            GiveUp(site, SiteState.Unusable, text.EndsWith("version", StringComparison.Ordinal)
                ? "it has another version of RustRunspaces"
                : "it has no RustRunspaces");
            return;
        }
        try
        {
            MessageReader message = Site.Read(item);
            if (message.Kind == MessageKind.Failure)
            {
                TakeMessage(site, message);
                return;
            }
            if (message.Kind != MessageKind.Hello)
            {
                throw new InvalidDataException("its first message is no greeting");
            }
            version = message.Text();
        }
        catch (InvalidDataException error)
        {
            site.LacksModule = true;
            GiveUp(site, SiteState.Unusable, $"it has another version of RustRunspaces ({error.Message})");
            return;
        }
        if (version != OwnVersion)
        {
            site.LacksModule = true;
            GiveUp(site, SiteState.Unusable, $"it has RustRunspaces {version}, this computer has {OwnVersion}");
            return;
        }
        site.State = SiteState.Ready;
    }

    private void GiveUp(TSite site, SiteState state, string reason)
    {
        site.State = state;
        site.Problem = reason.TrimEnd('.', ' ');
        site.Link.BeginStop();
        string? consequence = Lose(site);
        if (state == SiteState.Lost)
        {
            Sink.Attribute(CallItself);
            Sink.WriteWarning($"The session to '{site.Name}' was lost: {site.Problem}. {consequence ?? "It had nothing left to do"}");
        }
    }

    private void GiveUp()
    {
        isEnding = true;
        StopAll();
        EndUnfinished();
    }

    /// <summary>One error for all of them, when it is known of each whether it takes part, or the call ends.</summary>
    private protected void SayUnusable(bool isLast)
    {
        if (!isLast && Sites.Any(site => site.State == SiteState.Starting))
        {
            return;
        }
        TSite[] unusable = Sites.Where(site => site.State == SiteState.Unusable && !saidUnusable.Contains(site)).ToArray();
        if (unusable.Length > 0 && Sites.Any(site => site.State != SiteState.Unusable))
        {
            saidUnusable.UnionWith(unusable);
            Sink.Attribute(CallItself);
            Sink.WriteError(SiteErrors.Unusable(unusable, OwnVersion, isAll: false));
        }
    }
}
