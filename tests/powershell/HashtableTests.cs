// The default output: one hashtable, host to result.

using System;
using System.Collections;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using System.Text.RegularExpressions;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class HashtableTests : ModuleTest
{
    public HashtableTests() => Laboratory.RequireEcho();

    [Fact]
    public void One_synchronized_hashtable_is_all_that_is_written()
    {
        Call call = Session.Run("Invoke-RustParallel 127.0.0.1, 127.0.0.2");
        Assert.IsType<Hashtable>(Assert.Single(call.Output).BaseObject, exactMatch: false);
        Assert.True(call.Table.IsSynchronized);
    }

    [Fact]
    public void The_hashtable_of_no_hosts_is_empty_and_synchronized()
    {
        Call call = Session.Run("@() | Invoke-RustParallel");
        Assert.Empty(call.Table);
        Assert.True(call.Table.IsSynchronized);
    }

    [Fact]
    public void Keys_are_the_hosts_as_they_were_given()
    {
        Hashtable table = Session.Run("Invoke-RustParallel LocalHost, 127.0.0.1").Table;
        Assert.Equal(["127.0.0.1", "LocalHost"], table.Keys.Cast<string>().Order(StringComparer.Ordinal));
        Assert.Equal("LocalHost", Property(table["LocalHost"], "ComputerName"));
    }

    [Theory]
    [InlineData("en-US")]
    [InlineData("tr-TR")] // where i is no small I
    public void Keys_compare_without_case_in_every_culture(string culture)
    {
        Laboratory.Require();
        Hashtable table = Session.Run($"[cultureinfo]::CurrentCulture = '{culture}'; Invoke-RustParallel {Laboratory.Name}").Table;
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo(culture);
            Assert.True(table.ContainsKey(Laboratory.Name.ToUpperInvariant()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Keys_of_an_empty_hashtable_compare_without_case_too()
    {
        Hashtable table = Session.Run("@() | Invoke-RustParallel").Table;
        table["host"] = 1;
        Assert.Equal(1, table["HOST"]);
    }

    [Fact]
    public void Hosts_equal_but_for_case_are_one_entry()
    {
        Hashtable table = Session.Run("Invoke-RustParallel localhost, LOCALHOST, LocalHost").Table;
        Assert.Single(table);
    }

    [Fact]
    public void Each_value_is_a_result()
    {
        Hashtable table = Session.Run("Invoke-RustParallel 127.0.0.1").Table;
        Assert.Equal("RustRunspaces.HostResult", table["127.0.0.1"]!.GetType().FullName);
    }

    [Fact]
    public void A_value_reads_as_in_the_template()
    {
        object result = Session.Run("Invoke-RustParallel 127.0.0.1").Table["127.0.0.1"]!;
        var american = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        american.DateTimeFormat.ShortDatePattern = "M/d/yyyy";
        american.DateTimeFormat.LongTimePattern = "h:mm:ss tt";
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = american;
            Assert.Equal($"@{{Ping=True; TimeFinished={Property(result, "TimeFinished")}}}", result.ToString());
            Assert.Matches(@"^@\{Ping=True; TimeFinished=\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M\}$", result.ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void The_hashtable_shows_its_values_as_in_the_template()
    {
        Laboratory.Require();
        string shown = Session.Run($"Invoke-RustParallel 127.0.0.1, {Laboratory.UnknownName} | Out-String -Width 120").Output.Single().ToString()!;
        Assert.Matches(@"(?m)^127\.0\.0\.1 +@\{Ping=True; TimeFinished=.+\}\s*$", shown);
        Assert.Matches($@"(?m)^{Regex.Escape(Laboratory.UnknownName)} +@\{{Ping=False; TimeFinished=.+\}}\s*$", shown);
    }

    [Fact]
    public void Properties_are_reached_through_the_key()
    {
        Call call = Session.Run("$Results = Invoke-RustParallel LOCALHOST; $Results['localhost'].Ping; $Results.localhost.Status");
        Assert.Equal([true, "Success"], call.Output.Select(value => value.BaseObject));
    }

    [Fact]
    public void Unknown_names_silent_hosts_and_closed_ports_are_results_and_not_errors()
    {
        Laboratory.Require();
        using var closed = new RefusedPort();
        Hashtable down = Session.Run(
            $"Invoke-RustParallel {Laboratory.UnknownName}, {Laboratory.Silent} -Count 1 -ReplyTimeoutMilliseconds 100").Table;
        Assert.Equal("NameNotFound", Property(down[Laboratory.UnknownName], "Status"));
        Assert.Equal("TimedOut", Property(down[Laboratory.Silent], "Status"));
        Hashtable refused = Session.Run($"Invoke-RustParallel 127.0.0.1 -TcpPort {closed.Number}").Table;
        Assert.Equal("Refused", Property(refused["127.0.0.1"], "Status"));
    }
}
