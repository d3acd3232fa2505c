// What all test classes share: a session of the test's own, and short ways to its results.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace RustRunspaces.PowerShellTests;

public abstract class ModuleTest : IDisposable
{
    private readonly Lazy<Session> session = new(() => new Session());

    private protected Session Session => session.Value;

    public void Dispose()
    {
        if (session.IsValueCreated)
        {
            session.Value.Dispose();
        }
        GC.SuppressFinalize(this);
    }

    private protected static object? Property(object? result, string name) =>
        PSObject.AsPSObject(result!).Properties[name].Value;

    private protected static T? Property<T>(object? result, string name) => (T?)Property(result, name);

    private protected static string[] Names(IEnumerable<PSObject> results) =>
        results.Select(result => Property<string>(result, "ComputerName")!).ToArray();
}
