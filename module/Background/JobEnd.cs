// How a job's state and its reason are set together. The engine has a method for that in every version, but not for derived classes
// outside of it: it is looked up once, and without it a job has its state and no reason.

using System;
using System.Management.Automation;
using System.Reflection;

namespace RustRunspaces.Background;

internal static class JobEnd
{
    private static readonly Action<Job, JobState, Exception?>? SetStateAndReason =
        (Action<Job, JobState, Exception?>?)typeof(Job)
            .GetMethod("SetJobState", BindingFlags.Instance | BindingFlags.NonPublic, null, new[] { typeof(JobState), typeof(Exception) }, null)
            ?.CreateDelegate(typeof(Action<Job, JobState, Exception?>));

    internal static bool HasReasons => SetStateAndReason is not null;

    internal static bool IsFinal(JobState state) => state is JobState.Completed or JobState.Failed or JobState.Stopped;

    /// <param name="job">The job.</param>
    /// <param name="state">Its last one.</param>
    /// <param name="reason">Null where there is none to give.</param>
    /// <param name="setState">Sets the state alone.</param>
    internal static void Set(Job job, JobState state, Exception? reason, Action<JobState> setState)
    {
        if (reason is null || SetStateAndReason is null)
        {
            setState(state);
        }
        else
        {
            SetStateAndReason(job, state, reason);
        }
    }
}
