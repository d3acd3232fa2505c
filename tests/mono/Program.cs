// Runs the tests of the native layer one after the other and prints `ok NAME`, `not ok NAME reason` or
// `skip NAME reason` for each, and the sum as the last line. Main thread; each test has a minute.
//
//     mono NativeUnderMono.exe FOLDER    FOLDER: the built module, with its libraries

using System;
using System.Threading;

namespace RustRunspaces.NativeUnderMono;

internal static class Program
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);
    private static int passed;
    private static int failed;
    private static int skipped;

    private static int Main(string[] arguments)
    {
        if (arguments.Length != 1)
        {
            Console.Error.WriteLine("usage: NativeUnderMono FOLDER");
            return 2;
        }
        Test("the_library_is_loaded_by_absolute_path", LoadTests.The_library_is_loaded_by_absolute_path);
        Test("a_file_that_is_no_library_has_a_reason", LoadTests.A_file_that_is_no_library_has_a_reason);
        Test("the_shipped_assembly_loads_its_library", () => LoadTests.The_shipped_assembly_loads_its_library(arguments[0]));
        Test("a_status_becomes_an_exception_with_the_engines_words", PoolTests.A_status_becomes_an_exception_with_the_engines_words);
        Test("a_sweep_answers_once_for_each_host_of_a_block", PoolTests.A_sweep_answers_once_for_each_host_of_a_block);
        Test("an_open_port_is_found", PoolTests.An_open_port_is_found);
        Test("names_and_texts_come_back", PoolTests.Names_and_texts_come_back);
        Test("each_call_is_run_and_answered_once", CallTests.Each_call_is_run_and_answered_once);
        Test("a_call_past_its_limit_is_asked_to_stop", CallTests.A_call_past_its_limit_is_asked_to_stop);
        Test("an_exception_in_a_callback_stays_in_its_job", CallTests.An_exception_in_a_callback_stays_in_its_job);
        Test("a_collected_pool_is_closed", CallTests.A_collected_pool_is_closed);
        Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
        return failed == 0 ? 0 : 1;
    }

    private static void Test(string name, Action test)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                test();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        })
        { IsBackground = true };
        thread.Start();
        if (!thread.Join(Longest))
        {
            failure = new TimeoutException("did not end within a minute");
        }
        switch (failure)
        {
            case null:
                passed++;
                Console.WriteLine($"ok {name}");
                break;
            case SkippedException skip:
                skipped++;
                Console.WriteLine($"skip {name} {skip.Message}");
                break;
            default:
                failed++;
                Console.WriteLine($"not ok {name} {failure.ToString().Replace("\n", " ")}");
                break;
        }
    }
}

/// <summary>The test cannot run here.</summary>
internal sealed class SkippedException : Exception
{
    internal SkippedException(string reason) : base(reason)
    {
    }
}

/// <summary>What did not hold.</summary>
internal static class Check
{
    internal static void Equal<T>(T expected, T actual, string what)
    {
        if (!Equals(expected, actual))
        {
            throw new InvalidOperationException($"{what}: expected {expected}, found {actual}");
        }
    }

    internal static void True(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException(what);
        }
    }
}
