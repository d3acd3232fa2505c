// TCP ports in the states that a probe can find: open, refused, silent.

using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace RustRunspaces.PowerShellTests;

/// <summary>A port that is open: its queue takes connections without anybody accepting them.</summary>
internal sealed class OpenPort : IDisposable
{
    private readonly TcpListener listener;

    /// <param name="number">0: any that is free.</param>
    public OpenPort(string address = "127.0.0.1", int number = 0)
    {
        listener = new TcpListener(IPAddress.Parse(address), number);
        listener.Start();
    }

    public int Number => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void Dispose() => listener.Dispose();
}

/// <summary>A port that refuses: taken, so that nobody else gets it, but nobody listens.</summary>
internal sealed class RefusedPort : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RefusedPort(string address = "127.0.0.1")
    {
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
    }

    public int Number => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public void Dispose() => socket.Dispose();
}

/// <summary>A port of a live host that does not answer: its queue of waiting connections is full.</summary>
internal sealed class SilentPort : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> waiting = [];

    public SilentPort(string address = "127.0.0.1")
    {
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        listener.Listen(0);
        try
        {
            do
            {
                waiting.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            }
            while (waiting[^1].ConnectAsync(listener.LocalEndPoint!).Wait(TimeSpan.FromMilliseconds(100)));
        }
        catch (AggregateException failure) when (failure.InnerException is SocketException)
        {
            Dispose();
            Assert.Skip("this system refuses connections where their queue is full");
        }
    }

    public int Number => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public void Dispose()
    {
        waiting.ForEach(socket => socket.Dispose());
        listener.Dispose();
    }
}
