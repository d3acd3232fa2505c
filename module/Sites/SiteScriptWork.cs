// What script jobs run in another session, and what they wrote there, as messages. Objects travel as remoting carries them: the
// engine's own serializer, so that a caller gets what Invoke-Command would have brought. Any thread.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Management.Automation.Runspaces;
using RustRunspaces.Scripts;
using RustRunspaces.Scripts.Workers;

namespace RustRunspaces.Sites;

internal static class SiteScriptWork
{
    // As remoting serializes what a pipeline writes.
    private const int OutputDepth = 1;

    // A table of tables of values.
    private const int WorkDepth = 3;

    internal static string? ToText(object? value) => value is null ? null : PSSerializer.Serialize(value, OutputDepth);

    internal static object? FromText(string? text)
    {
        try
        {
            return text is null ? null : PSSerializer.Deserialize(text);
        }
        catch (Exception error)
        {
            // Whatever it is: nothing of ours runs in there.
            throw new InvalidDataException("an object in a message cannot be read", error);
        }
    }

    internal static byte[] Pack(ScriptCall call)
    {
        ScriptCallOptions options = call.Options;
        CallerState caller = call.Setup.Caller;
        var table = new Hashtable
        {
            ["Usings"] = caller.Usings,
            ["Arguments"] = options.ArgumentList,
            ["Parameters"] = options.Parameters is null ? null : new Hashtable(options.Parameters),
            ["Variables"] = ToTable(caller.Variables),
            ["Functions"] = call.Functions.ToTexts(),
            ["Modules"] = options.ModuleNames,
            ["Late"] = call.Setup.LateKeys,
        };
        var message = new MessageWriter();
        message.Flag(options.IsHostForm);
        message.Flag(options.AsObject);
        message.Flag(options.UseNewRunspace);
        message.Number((ulong)options.MaximumThreadCount);
        message.Real(options.JobTimeoutSeconds);
        message.Text(options.ScriptBlock?.ToString());
        message.Text(options.InitializationScript?.ToString());
        message.Text(options.CommandName);
        message.Text(options.ParameterName);
        message.Text(PSSerializer.Serialize(table, WorkDepth));
        return message.ToArray(MessageKind.ScriptWork, 1);
    }

    /// <summary>Blocks get the language mode of this thread.</summary>
    internal static ScriptCallOptions Unpack(MessageReader message, out BroughtAlong brought)
    {
        var options = new ScriptCallOptions
        {
            IsHostForm = message.Flag(),
            AsObject = message.Flag(),
            UseNewRunspace = message.Flag(),
            MaximumThreadCount = message.Int(),
            JobTimeoutSeconds = message.Real(),
        };
        string? block = message.Text();
        string? initialization = message.Text();
        options.ScriptBlock = block is null ? null : ScriptBlock.Create(block);
        options.InitializationScript = initialization is null ? null : ScriptBlock.Create(initialization);
        options.CommandName = message.Text();
        options.ParameterName = message.Text() ?? options.ParameterName;
        var table = Plain(FromText(message.Text())) as Hashtable ?? throw new InvalidDataException("the work has no table");
        message.End();
        options.Parameters = Plain(table["Parameters"]) as IDictionary;
        options.ArgumentList = ToList(table["Arguments"]);
        options.ModuleNames = ToList(table["Modules"]).Select(name => (string)name!).ToArray();
        brought = new BroughtAlong
        {
            Usings = Plain(table["Usings"]) as Hashtable ?? new Hashtable(),
            Variables = Plain(table["Variables"]) as Hashtable ?? new Hashtable(),
            Functions = Plain(table["Functions"]) as Hashtable ?? new Hashtable(),
            LateKeys = ToList(table["Late"]).Select(key => (string)key!).ToArray(),
        };
        return options;
    }

    /// <summary>How a job ended and what it wrote, without its host or item, which the near side knows.</summary>
    internal static void Write(MessageWriter message, JobRecord record)
    {
        message.Byte((byte)record.StatusCode);
        message.Number((ulong)record.Duration.Ticks);
        message.Number((ulong)record.Worker);
        // Several objects, or one that may be an array itself.
        message.Flag(record.Output is object[]);
        message.Text(ToText(record.Output));
        message.Number((ulong)record.Errors.Length);
        foreach (ErrorRecord error in record.Errors)
        {
            Write(message, error);
        }
    }

    internal static void Write(MessageWriter message, ErrorRecord error)
    {
        message.Text(error.ToString());
        message.Text(error.Exception.GetType().FullName);
        message.Text(error.FullyQualifiedErrorId);
        message.Number((ulong)error.CategoryInfo.Category);
        message.Text(error.TargetObject?.ToString());
        message.Text(error.ScriptStackTrace);
    }

    internal static void Write(MessageWriter message, ProgressRecord record)
    {
        message.Text(record.Activity);
        message.Text(record.StatusDescription);
        message.Text(record.CurrentOperation);
        message.Signed(record.PercentComplete);
        message.Signed(record.SecondsRemaining);
        message.Flag(record.RecordType == ProgressRecordType.Completed);
    }

    internal static ProgressRecord ReadProgress(MessageReader message)
    {
        string? activity = message.Text();
        string? status = message.Text();
        if (string.IsNullOrEmpty(activity) || string.IsNullOrEmpty(status))
        {
            throw new InvalidDataException("a state of progress says nothing");
        }
        return new ProgressRecord(0, activity, status)
        {
            CurrentOperation = message.Text(),
            PercentComplete = (int)Math.Min(100, Math.Max(-1, message.Signed())),
            SecondsRemaining = (int)Math.Min(int.MaxValue, Math.Max(-1, message.Signed())),
            RecordType = message.Flag() ? ProgressRecordType.Completed : ProgressRecordType.Processing,
        };
    }

    /// <summary>Nothing, one object, or an array of what was several.</summary>
    internal static object? ReadOutput(MessageReader message)
    {
        bool isSeveral = message.Flag();
        object? output = FromText(message.Text());
        return isSeveral && Plain(output) is ArrayList several ? several.ToArray() : output;
    }

    /// <summary>An error of another session's, which says whose.</summary>
    internal static ErrorRecord ReadError(MessageReader message, string site, Guid session)
    {
        string text = message.Text() ?? "";
        string? type = message.Text();
        string? id = message.Text();
        int category = message.Int();
        string? target = message.Text();
        string? trace = message.Text();
        var exception = new RemoteException(text);
        exception.Data["ExceptionType"] = type;
        exception.Data["ScriptStackTrace"] = trace;
        var known = Enum.IsDefined(typeof(ErrorCategory), category) ? (ErrorCategory)category : ErrorCategory.NotSpecified;
        return new RemotingErrorRecord(new ErrorRecord(exception, id, known, target), new OriginInfo(site, session));
    }

    private static Hashtable ToTable<T>(IEnumerable<KeyValuePair<string, T>> pairs)
    {
        var table = new Hashtable(StringComparer.OrdinalIgnoreCase);
        foreach (KeyValuePair<string, T> pair in pairs)
        {
            table[pair.Key] = pair.Value;
        }
        return table;
    }

    private static object? Plain(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

    private static object?[] ToList(object? value) => Plain(value) is IEnumerable items and not string
        ? items.Cast<object?>().ToArray()
        : Array.Empty<object?>();
}
