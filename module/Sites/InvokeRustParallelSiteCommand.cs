// Invoke-RustParallelSite: the far side of Invoke-RustParallel -Session. Says who it is, does the work that it is given, and ends
// when no more comes or nobody is there any more. Nobody types it. All methods but StopProcessing run on the pipeline thread.

using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Management.Automation;
using RustRunspaces.Native;
using RustRunspaces.Output;
using RustRunspaces.Scripts;
using RustRunspaces.Sites;

namespace RustRunspaces;

/// <summary>Works for an Invoke-RustParallel on another computer, which started it in a session here.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "RustParallelSite")]
[OutputType(typeof(byte[]))]
public sealed class InvokeRustParallelSiteCommand : PSCmdlet, IDisposable
{
    private FarLink? link;

    /// <summary>Enumerates what the other side sends: the session's $input.</summary>
    [Parameter(Mandatory = true)]
    public object? Source { get; set; }

    /// <summary>What to do, as the other side packed it.</summary>
    [Parameter(Mandatory = true)]
    [SuppressMessage("Performance", "CA1819", Justification = "a parameter")]
    public byte[]? Work { get; set; }

    /// <summary>Works until the other side has no more to do, or is gone.</summary>
    protected override void EndProcessing()
    {
        using (link = new FarLink(Source!, message => WriteObject(message, enumerateCollection: false)))
        {
            try
            {
                SayHello(link);
                var work = new MessageReader(Work!);
                if (work.Kind == MessageKind.ScriptWork)
                {
                    ScriptCallOptions options = SiteScriptWork.Unpack(work, out BroughtAlong brought);
                    new FarScripts(ScriptCall.Create(this, options, brought), link).Run();
                }
                else
                {
                    new FarProbes(SiteWork.Unpack(work), link).Run();
                }
            }
            catch (InvalidDataException error)
            {
                Fail("ProtocolMismatch", $"what was sent cannot be read: {error.Message}");
            }
            catch (NativeException error)
            {
                ErrorRecord record = Errors.From(error);
                Fail(record.FullyQualifiedErrorId, record.Exception.Message);
            }
            catch (LibraryException error)
            {
                Fail(error.Failure.ToString(), error.Message);
            }
            catch (ParseException error)
            {
                Fail(error.ErrorRecord.FullyQualifiedErrorId, error.Message);
            }
            catch (CallRefusedException error)
            {
                Fail(error.Record.FullyQualifiedErrorId, error.Message);
            }
        }
    }

    /// <summary>Ends the work; what it sends stops with it.</summary>
    protected override void StopProcessing() => link?.Cancel();

    /// <summary>The work is over on every way out.</summary>
    public void Dispose() => link?.Dispose();

    private static void SayHello(FarLink link)
    {
        var hello = new MessageWriter();
        hello.Text(typeof(FarLink).Assembly.GetName().Version?.ToString(3));
        link.Write(hello.ToArray(MessageKind.Hello, 1));
    }

    private void Fail(string id, string message)
    {
        var failure = new MessageWriter();
        failure.Text(id);
        failure.Text(message);
        link!.Write(failure.ToArray(MessageKind.Failure, 1));
    }
}
