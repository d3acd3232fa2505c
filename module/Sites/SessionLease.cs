// The lease of a block that runs where nothing of this module is: script text that goes before the block, as a statement of its own,
// so that the block is what it would be alone. It starts a watch beside the block, which asks the near side a question every two
// seconds; any answer, and be it the refusal, shows each side that the other one lives. When none comes for as long as the lease
// lasts, the watch stops the block. Any thread.

using System;
using System.Management.Automation;

namespace RustRunspaces.Sites;

internal sealed class SessionLease
{
    // Whose block runs is told by the host that the engine has put in for it; a call that ended has no answer for anybody. What runs
    // is stopped by the engine's own way to it: there is no public one from another thread but to close the runspace, which ends the
    // session. Where one of these is missing, or where script may not do that, the block runs without a lease.
    private const string Watch = @"param($Caller, $External, $Own, $Ask, $Runspace, $Running, $Milliseconds)
$missed = 0
$isOver = $false
for ($tick = 1; $missed -lt 2; $tick++) {
    [Threading.Thread]::Sleep(200)
    if (-not [object]::ReferenceEquals($External.GetValue($Caller, $null), $Own)) { $missed++; continue }
    $missed = 0
    if ($isOver) {
        $pipeline = $Running.Invoke($Runspace, $null)
        if ($pipeline) { $pipeline.StopAsync() }
    }
    elseif ($tick % 10 -eq 0) {
        $asked = [Threading.Tasks.Task[string]]::Factory.StartNew($Ask, [Threading.Tasks.TaskCreationOptions]::LongRunning)
        $isOver = [Threading.Tasks.Task]::WaitAny(@($asked), $Milliseconds) -lt 0
        if (-not $isOver) { $null = $asked.Exception }
    }
}";

    private const string Script = @"param($Mark, $Watch, $Milliseconds)
$isLeased = $false
try {
    if ($ExecutionContext.SessionState.LanguageMode -eq 'FullLanguage') {
        $hidden = [Reflection.BindingFlags] 'Instance, NonPublic'
        $external = $Host.GetType().GetProperty('ExternalHost', $hidden)
        $runspace = [Management.Automation.Runspaces.Runspace]::DefaultRunspace
        $running = $runspace.GetType().GetMethod('GetCurrentlyRunningPipeline', $hidden)
        if ($external -and $running) {
            $state = [Management.Automation.Runspaces.InitialSessionState]::Create()
            $state.LanguageMode = 'FullLanguage'
            $ask = [Delegate]::CreateDelegate([Func[string]], $Host.UI, 'ReadLine')
            $shell = [PowerShell]::Create($state).AddScript($Watch)
            foreach ($value in $Host, $external, $external.GetValue($Host, $null), $ask, $runspace, $running, $Milliseconds) { $null = $shell.AddArgument($value) }
            $null = $shell.BeginInvoke()
            $isLeased = $true
        }
    }
}
catch { $Error.RemoveAt(0) }
""$Mark $isLeased""";

    private readonly string mark = Guid.NewGuid().ToString();

    /// <summary>Puts the lease before what is added next.</summary>
    internal void AddTo(PowerShell pipeline) => pipeline
        .AddScript(Script, useLocalScope: true)
        .AddArgument(mark)
        .AddArgument(Watch)
        .AddArgument((int)FarLink.Lease.TotalMilliseconds)
        .AddStatement();

    /// <summary>Whether this was its last word: what follows is the block's.</summary>
    /// <param name="item">What came.</param>
    /// <param name="isKept">Whether there is a lease.</param>
    internal bool IsMark(PSObject? item, out bool isKept)
    {
        isKept = item?.BaseObject is string kept && kept == $"{mark} True";
        return isKept || (item?.BaseObject is string text && text == $"{mark} False");
    }
}
