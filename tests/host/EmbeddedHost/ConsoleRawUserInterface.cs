// The measurements of the console, with fixed ones where there is no terminal; nothing that
// moves the cursor or reads keys. Used on pipeline threads.

using System;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace RustRunspaces.EmbeddedHost;

internal sealed class ConsoleRawUserInterface : PSHostRawUserInterface
{
    /// <summary>Columns and rows where output goes to a file or a pipe.</summary>
    private static readonly Size WithoutTerminal = new(120, 50);

    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    public override Coordinates CursorPosition { get; set; }

    public override Coordinates WindowPosition { get; set; }

    public override int CursorSize { get; set; } = 25;

    public override Size BufferSize
    {
        get => TerminalSize();
        set => throw Unsupported();
    }

    public override Size WindowSize
    {
        get => TerminalSize();
        set => throw Unsupported();
    }

    public override Size MaxWindowSize => TerminalSize();

    public override Size MaxPhysicalWindowSize => TerminalSize();

    public override string WindowTitle { get; set; } = "EmbeddedHost";

    public override bool KeyAvailable => false;

    public override KeyInfo ReadKey(ReadKeyOptions options) => throw Unsupported();

    public override void FlushInputBuffer()
    {
    }

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw Unsupported();

    public override void ScrollBufferContents(
        Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw Unsupported();

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) =>
        throw Unsupported();

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw Unsupported();

    private static Size TerminalSize()
    {
        if (Console.IsOutputRedirected || Console.WindowWidth <= 0)
        {
            return WithoutTerminal;
        }
        return new Size(Console.WindowWidth, Console.WindowHeight);
    }

    private static PSNotSupportedException Unsupported() =>
        new("This console cannot move its cursor, read keys or change its size");
}
