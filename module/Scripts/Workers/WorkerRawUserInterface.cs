// The screen as jobs see it: sizes and colours are the caller's; nothing can be changed, and no key can be read. Worker's thread.

using System;
using System.Management.Automation.Host;

namespace RustRunspaces.Scripts.Workers;

internal sealed class WorkerRawUserInterface : PSHostRawUserInterface
{
    private readonly PSHostRawUserInterface caller;
    private readonly WorkerUserInterface userInterface;

    internal WorkerRawUserInterface(PSHostRawUserInterface caller, WorkerUserInterface userInterface)
    {
        this.caller = caller;
        this.userInterface = userInterface;
    }

    /// <inheritdoc/>
    public override ConsoleColor BackgroundColor
    {
        get => caller.BackgroundColor;
        set { }
    }

    /// <inheritdoc/>
    public override ConsoleColor ForegroundColor
    {
        get => caller.ForegroundColor;
        set { }
    }

    /// <inheritdoc/>
    public override Size BufferSize
    {
        get => caller.BufferSize;
        set { }
    }

    /// <inheritdoc/>
    public override Coordinates CursorPosition
    {
        get => caller.CursorPosition;
        set { }
    }

    /// <inheritdoc/>
    public override int CursorSize
    {
        get => caller.CursorSize;
        set { }
    }

    /// <inheritdoc/>
    public override bool KeyAvailable => false;

    /// <inheritdoc/>
    public override Size MaxPhysicalWindowSize => caller.MaxPhysicalWindowSize;

    /// <inheritdoc/>
    public override Size MaxWindowSize => caller.MaxWindowSize;

    /// <inheritdoc/>
    public override Coordinates WindowPosition
    {
        get => caller.WindowPosition;
        set { }
    }

    /// <inheritdoc/>
    public override Size WindowSize
    {
        get => caller.WindowSize;
        set { }
    }

    /// <inheritdoc/>
    public override string WindowTitle
    {
        get => caller.WindowTitle;
        set { }
    }

    /// <inheritdoc/>
    public override void FlushInputBuffer()
    {
    }

    /// <inheritdoc/>
    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => caller.GetBufferContents(rectangle);

    /// <inheritdoc/>
    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        userInterface.Refuse("ReadKey");
        return default;
    }

    /// <inheritdoc/>
    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill)
    {
    }

    /// <inheritdoc/>
    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents)
    {
    }

    /// <inheritdoc/>
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
    {
    }
}
