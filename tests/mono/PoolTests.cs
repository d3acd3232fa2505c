// Probes through the native layer: structs, buffers and texts there and back.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using RustRunspaces.Native;

namespace RustRunspaces.NativeUnderMono;

internal static class PoolTests
{
    private static readonly ushort[] NoPorts = new ushort[0];

    internal static void A_status_becomes_an_exception_with_the_engines_words()
    {
        try
        {
            using Pool pool = Pool.Open(0, 0);
            Sweep(pool, new ProbeOptions { Kind = 4711 }, NoPorts, "127.0.0.1");
        }
        catch (NativeException error)
        {
            Check.Equal(NativeStatus.InvalidArgument, error.Status, "status");
            Check.True(error.Message.Length > 10, $"a sentence, not '{error.Message}'");
            return;
        }
        throw new InvalidOperationException("a kind that does not exist was accepted");
    }

    internal static void A_sweep_answers_once_for_each_host_of_a_block()
    {
        using Pool pool = Pool.Open(0, 10_000);
        List<Answer> answers;
        try
        {
            answers = Sweep(pool, Echo(), NoPorts, "127.0.0.0/29");
        }
        catch (NativeException error) when (error.Status == NativeStatus.IcmpNotPermitted)
        {
            throw new SkippedException("ICMP echo requests are not permitted here");
        }
        Check.Equal(6, answers.Count, "answers");
        Check.Equal("0 1 2 3 4 5", string.Join(" ", answers.Select(answer => answer.Index).OrderBy(index => index)), "indexes");
        foreach (Answer answer in answers)
        {
            Check.Equal(JobStatus.Success, answer.Status, "status");
            Check.Equal($"127.0.0.{answer.Index + 1}", answer.Address, "address");
            Check.True(answer.Latency > 0, $"a latency, not {answer.Latency} ns");
        }
    }

    internal static void An_open_port_is_found()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        ushort port = (ushort)((IPEndPoint)listener.LocalEndpoint).Port;
        using Pool pool = Pool.Open(0, 10_000);
        Answer answer = Sweep(pool, Connect(), new[] { port }, "127.0.0.1").Single();
        listener.Stop();
        Check.Equal(JobStatus.Success, answer.Status, "status");
        Check.Equal(port, answer.Port, "port");
    }

    internal static void Names_and_texts_come_back()
    {
        using Pool pool = Pool.Open(0, 10_000);
        ProbeOptions options = Connect();
        options.Flags = ProbeOptions.FlagResolve;
        Answer answer = Sweep(pool, options, new ushort[] { 1 }, "localhost").Single();
        Check.True(answer.Addresses!.Contains("127.0.0.1"), $"the addresses of localhost, not '{answer.Addresses}'");
    }

    private static ProbeOptions Echo() => new ProbeOptions
    {
        Kind = ProbeOptions.KindEcho,
        Count = 2,
        IntervalMilliseconds = 200,
        ReplyTimeoutMilliseconds = 200,
        PayloadSize = 32,
    };

    private static ProbeOptions Connect() => new ProbeOptions
    {
        Kind = ProbeOptions.KindConnect,
        Count = 1,
        IntervalMilliseconds = 200,
        ReplyTimeoutMilliseconds = 200,
    };

    private static List<Answer> Sweep(Pool pool, ProbeOptions options, ushort[] ports, string target)
    {
        var batch = new TargetBatch();
        batch.Add(7, target);
        Check.Equal(NativeStatus.Ok, pool.SubmitProbes(options, ports, batch), "submission");
        Check.Equal(1, batch.Taken, "targets taken");
        pool.CloseInput();
        return Collect(pool);
    }

    private static List<Answer> Collect(Pool pool)
    {
        var answers = new List<Answer>();
        using var buffer = new CompletionBuffer();
        while (pool.Poll(10_000) != NativeStatus.Closed)
        {
            pool.Collect(buffer);
            for (int i = 0; i < buffer.Count; i++)
            {
                ref readonly Completion completion = ref buffer[i];
                Check.Equal(7ul, completion.UserData, "user data");
                answers.Add(new Answer(in completion, buffer));
            }
        }
        return answers;
    }

    private sealed class Answer
    {
        internal Answer(in Completion completion, CompletionBuffer buffer)
        {
            Index = completion.Index;
            Status = (JobStatus)completion.Outcome;
            Port = completion.Port;
            Latency = completion.LastNanoseconds;
            Address = new IPAddress(BitConverter.GetBytes(completion.AddressFirst).Take(4).ToArray()).ToString();
            Addresses = buffer.Read(completion.AddressesOffset, completion.AddressesLength);
        }

        internal ulong Index { get; }

        internal JobStatus Status { get; }

        internal ushort Port { get; }

        internal long Latency { get; }

        internal string Address { get; }

        internal string? Addresses { get; }
    }
}
