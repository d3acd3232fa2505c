// A TCP port in the state that keeps a probe waiting.

using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace RustRunspaces.PowerShellTests;

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
