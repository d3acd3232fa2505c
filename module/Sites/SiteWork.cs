// What a far side is asked to do, as a message: the settings of a sweep. Any thread.

using System.IO;
using System.Linq;
using RustRunspaces.Probes;

namespace RustRunspaces.Sites;

internal static class SiteWork
{
    /// <summary>Limits of the call are kept by the near side, and what is made of results is its business.</summary>
    internal static byte[] Pack(ProbeSettings settings)
    {
        var message = new MessageWriter();
        message.Number((ulong)settings.Count);
        message.Number((ulong)settings.ReplyTimeoutMilliseconds);
        message.Number((ulong)settings.IntervalMilliseconds);
        message.Number((ulong)settings.BufferSize);
        message.Number((ulong)settings.MaxHops);
        message.Number((ulong)settings.AddressFamily);
        message.Number((ulong)settings.PacketsPerSecond);
        message.Flag(settings.Statistics);
        message.Flag(settings.ResolveName);
        message.Number((ulong)settings.Ports.Length);
        foreach (ushort port in settings.Ports)
        {
            message.Number(port);
        }
        return message.ToArray(MessageKind.ProbeWork, 1);
    }

    internal static ProbeSettings Unpack(MessageReader message)
    {
        if (message.Kind != MessageKind.ProbeWork)
        {
            throw new InvalidDataException("the work is no sweep");
        }
        var settings = new ProbeSettings
        {
            Count = message.Int(),
            ReplyTimeoutMilliseconds = message.Int(),
            IntervalMilliseconds = message.Int(),
            BufferSize = message.Int(),
            MaxHops = message.Int(),
            AddressFamily = message.Int(),
            PacketsPerSecond = message.Int(),
            Statistics = message.Flag(),
            ResolveName = message.Flag(),
            AsObject = true,
        };
        settings.Ports = Enumerable.Range(0, message.Int()).Select(_ => (ushort)message.Int()).ToArray();
        message.End();
        return settings;
    }
}
