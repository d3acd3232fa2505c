// How a job's state and its reason are set together. The engine has a method for that in every version, but not for derived classes
// outside of it; without it a job has its state and no reason.

using System;
using System.Management.Automation;
using System.Reflection;
using RustRunspaces.Output;

namespace RustRunspaces.Background;

internal static class BackgroundEnd
{
    internal static bool HasReasons => SetStateAndReason is not null;

    private static MethodInfo? SetStateAndReason => EngineMembers.Method(typeof(Job), "SetJobState", typeof(JobState), typeof(Exception));

    internal static bool IsFinal(JobState state) => state is JobState.Completed or JobState.Failed or JobState.Stopped;

    /// <param name="job">The job.</param>
    /// <param name="state">Its last one.</param>
    /// <param name="reason">Null where there is none to give.</param>
    /// <param name="setState">Sets the state alone.</param>
    internal static void Set(Job job, JobState state, Exception? reason, Action<JobState> setState)
    {
        if (reason is null || SetStateAndReason is not MethodInfo method)
        {
            setState(state);
        }
        else
        {
            // A delegate and not Invoke, which would wrap what it throws.
            ((Action<JobState, Exception>)method.CreateDelegate(typeof(Action<JobState, Exception>), job))(state, reason);
        }
    }
}
