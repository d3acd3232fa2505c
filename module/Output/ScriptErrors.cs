// Every error record of script jobs that is the engine's own: stable id, fitting category, the host or item as target. What a
// block writes or throws keeps its own.

using System;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using RustRunspaces.Native;

namespace RustRunspaces.Output;

internal static class ScriptErrors
{
    internal const string ScriptBlockFailedId = "ScriptBlockFailed";

    /// <summary>Terminating, but non-terminating for an item.</summary>
    /// <param name="place">Where the script block was found, as in "-ArgumentList".</param>
    /// <param name="target">The host, item, variable or argument.</param>
    internal static ErrorRecord ScriptBlockRefused(string place, object? target) => new ErrorRecord(
        new ArgumentException(
            $"{place} holds a script block, which belongs to the runspace that made it and must not run in another one: pass its text, and make a block of it in the job with [scriptblock]::Create"),
        "ScriptBlockNotAllowed",
        ErrorCategory.InvalidArgument,
        target);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord ClosureRefused(ScriptBlock block, string variable) => new ErrorRecord(
        new ArgumentException(
            $"A closure (GetNewClosure) carries variables of the runspace that made it, here ${variable}, and jobs run in others: pass the block itself, and its variables with $using: or -Variables"),
        "ClosureNotAllowed",
        ErrorCategory.InvalidArgument,
        block);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord ClosureRefused(FunctionInfo function, string variable) => new ErrorRecord(
        new ArgumentException(
            $"The function '{function.Name}' is a closure (GetNewClosure), which carries variables of the runspace that made it, here ${variable}, and jobs run in others: define it without, and bring its variables with -Variables"),
        "ClosureNotAllowed",
        ErrorCategory.InvalidArgument,
        function.Name);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord UsingNotSet(string path) => new ErrorRecord(
        new ItemNotFoundException($"$using:{path} has no value: set ${path} before the call"),
        "UsingVariableNotSet",
        ErrorCategory.ObjectNotFound,
        path);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord VariableNotFound(string name) => new ErrorRecord(
        new ItemNotFoundException($"-Variables names '{Errors.Shown(name)}', but there is no such variable: correct the name or set the variable before the call"),
        "VariableNotFound",
        ErrorCategory.ObjectNotFound,
        name);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord FunctionNotFound(string name) => new ErrorRecord(
        new CommandNotFoundException($"-Functions names '{Errors.Shown(name)}', but there is no such function: correct the name or define it before the call"),
        "FunctionNotFound",
        ErrorCategory.ObjectNotFound,
        name);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord CommandNotFound(string name) => new ErrorRecord(
        new CommandNotFoundException($"-CommandName names '{Errors.Shown(name)}', but there is no such command: correct the name, or import its module first"),
        "CommandNotFound",
        ErrorCategory.ObjectNotFound,
        name);

    /// <summary>Terminating: a command that only the caller's own session can reach.</summary>
    /// <param name="name">Of the command.</param>
    /// <param name="module">That it belongs to.</param>
    /// <param name="reason">What about the module keeps it from coming along.</param>
    internal static ErrorRecord CommandCannotTravel(string name, string module, string reason) => new ErrorRecord(
        new InvalidOperationException($"-CommandName names '{Errors.Shown(name)}', but jobs cannot call it: its module '{module}' {reason}. Bring a copy of the function with -Functions, or export it from a module that has a file"),
        "CommandNotAvailableInJobs",
        ErrorCategory.InvalidOperation,
        name);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord ItemParameterNotFound(string command, string parameter) => new ErrorRecord(
        new ArgumentException($"'{Errors.Shown(command)}' has no parameter '{Errors.Shown(parameter)}' for the host or item to be bound to: name the right one with -ParameterName"),
        "ParameterNotFound",
        ErrorCategory.InvalidArgument,
        parameter);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord ParameterNotFound(string command, string parameter) => new ErrorRecord(
        new ArgumentException($"-Parameters sets '{Errors.Shown(parameter)}', but '{Errors.Shown(command)}' has no such parameter: correct the name"),
        "ParameterNotFound",
        ErrorCategory.InvalidArgument,
        parameter);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord ParameterTwice(string name) => new ErrorRecord(
        new ArgumentException($"-Parameters sets '{Errors.Shown(name)}', which is also what each host or item is bound to: leave it out, or name another one with -ParameterName"),
        "ParameterBoundTwice",
        ErrorCategory.InvalidArgument,
        name);

    /// <summary>Terminating: the module cannot be used in a worker's runspace.</summary>
    internal static ErrorRecord ModuleNotImported(string name, string reason, Exception? inner) => new ErrorRecord(
        new InvalidOperationException($"The module '{Errors.Shown(name)}' of -ModuleNames cannot be imported into a job's runspace: {Errors.Shown(reason, 500)}", inner),
        "ModuleNotImported",
        ErrorCategory.ResourceUnavailable,
        name);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord InitializationFailed(ErrorRecord cause) => new ErrorRecord(
        new InvalidOperationException($"-InitializationScript failed, so no job can run: {cause}", cause.Exception),
        "InitializationScriptFailed",
        ErrorCategory.OperationStopped,
        cause.TargetObject);

    /// <summary>Terminating.</summary>
    internal static ErrorRecord RunspaceNotOpened(Exception cause) => new ErrorRecord(
        new InvalidOperationException($"A job's runspace cannot be opened: {cause.Message}", cause),
        "RunspaceNotOpened",
        ErrorCategory.ResourceUnavailable,
        null);

    /// <summary>Terminating: an apartment on a system without COM.</summary>
    internal static ErrorRecord ApartmentNotSupported(Apartment apartment)
    {
        string asked = apartment == Apartment.SingleThreaded ? "STA" : "MTA";
        return new ErrorRecord(
            new PlatformNotSupportedException($"-ApartmentState {asked} needs Windows: leave it out on this system"),
            "ApartmentStateNotSupported",
            ErrorCategory.NotImplemented,
            asked);
    }

    /// <summary>Non-terminating: the one error of a job that ran into its limit.</summary>
    internal static ErrorRecord JobTimedOut(object? item, double seconds) => new ErrorRecord(
        new TimeoutException(string.Format(
            CultureInfo.CurrentCulture,
            "The job for '{0}' did not end within {1} seconds: use -JobTimeoutSeconds to give it more time",
            Errors.Shown(item),
            seconds)),
        "JobTimedOut",
        ErrorCategory.OperationTimeout,
        item);

    /// <summary>Non-terminating: the one error of a call that ran into its limit.</summary>
    internal static ErrorRecord MaximumWaitReached(double seconds, object?[] unfinished)
    {
        string first = string.Join(", ", unfinished.Take(5).Select(item => Errors.Shown(item)));
        string more = unfinished.Length > 5 ? ", ..." : "";
        return new ErrorRecord(
            new TimeoutException(string.Format(
                CultureInfo.CurrentCulture,
                "The maximum wait of {0} seconds was reached before {1} jobs were finished: {2}{3}. Use -MaximumWaitTimeSeconds to wait longer",
                seconds,
                unfinished.Length,
                first,
                more)),
            "MaximumWaitReached",
            ErrorCategory.OperationTimeout,
            unfinished);
    }

    /// <summary>Terminating: the caller wants the call to end at such a record.</summary>
    internal static ErrorRecord StoppedByPreference(string kind, string preference, string message) => new ErrorRecord(
        new RuntimeException($"The call ended at a {kind}, as {preference} asks: {message}"),
        "ActionPreferenceStop",
        ErrorCategory.OperationStopped,
        null);

    /// <summary>Non-terminating: a job asked a question.</summary>
    internal static ErrorRecord JobCannotAsk(string what) => new ErrorRecord(
        new InvalidOperationException($"A job cannot ask ({what}), for nobody sees the question: give the answer as a parameter, or ask before the call"),
        "JobCannotAsk",
        ErrorCategory.InvalidOperation,
        null);

    /// <summary>Non-terminating: the job was ended by the engine for a reason that only it knows.</summary>
    internal static ErrorRecord JobFailed(object? item, string? detail) => new ErrorRecord(
        new InvalidOperationException($"The job for '{Errors.Shown(item)}' did not run to its end: {detail ?? "its worker went away"}"),
        "JobFailed",
        ErrorCategory.InvalidResult,
        item);

    /// <summary>What a block threw: an error record keeps its id, a bare exception gets <see cref="ScriptBlockFailedId"/>.</summary>
    internal static ErrorRecord FromException(Exception exception) =>
        (exception as IContainsErrorRecord)?.ErrorRecord is ErrorRecord record
            ? new ErrorRecord(record, exception)
            : new ErrorRecord(exception, ScriptBlockFailedId, ErrorCategory.OperationStopped, null);
}
