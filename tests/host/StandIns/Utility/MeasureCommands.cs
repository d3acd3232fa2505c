// Measure-Object over numbers and counts, Measure-Command.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>What Measure-Object writes; what was not asked for is null.</summary>
public sealed class GenericMeasureInfo
{
    public int Count { get; internal set; }

    public double? Average { get; internal set; }

    public double? Sum { get; internal set; }

    public object? Maximum { get; internal set; }

    public object? Minimum { get; internal set; }

    public double? StandardDeviation { get; internal set; }

    public string? Property { get; internal set; }
}

[Cmdlet(VerbsDiagnostic.Measure, "Object")]
public sealed class MeasureObjectCommand : PSCmdlet
{
    private readonly Dictionary<string, List<object>> _values = new(StringComparer.OrdinalIgnoreCase);
    private int _count;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string[]? Property { get; set; }

    [Parameter]
    public SwitchParameter Sum { get; set; }

    [Parameter]
    public SwitchParameter Average { get; set; }

    [Parameter]
    public SwitchParameter Maximum { get; set; }

    [Parameter]
    public SwitchParameter Minimum { get; set; }

    [Parameter]
    public SwitchParameter StandardDeviation { get; set; }

    [Parameter]
    public SwitchParameter AllStats { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
        {
            return;
        }
        _count++;
        bool valuesAsked = Sum || Average || Maximum || Minimum || StandardDeviation || AllStats;
        if (Property is null)
        {
            if (valuesAsked)
            {
                Add("", InputObject.BaseObject);
            }
            return;
        }
        foreach (string name in Property)
        {
            object? value = InputObject.Properties[name]?.Value;
            if (value is not null)
            {
                Add(name, value is PSObject wrapped ? wrapped.BaseObject : value);
            }
        }
    }

    protected override void EndProcessing()
    {
        if (Property is null)
        {
            WriteObject(Measured(null, _values.GetValueOrDefault("") ?? new List<object>(), _count));
            return;
        }
        foreach (string name in Property)
        {
            List<object> values = _values.GetValueOrDefault(name) ?? new List<object>();
            WriteObject(Measured(name, values, values.Count));
        }
    }

    private void Add(string name, object value)
    {
        if (!_values.TryGetValue(name, out List<object>? list))
        {
            _values[name] = list = new List<object>();
        }
        list.Add(value);
    }

    private GenericMeasureInfo Measured(string? name, List<object> values, int count)
    {
        var info = new GenericMeasureInfo { Count = count, Property = name };
        if (values.Count == 0)
        {
            return info;
        }
        if (Maximum || AllStats)
        {
            info.Maximum = values.Aggregate((x, y) => LanguagePrimitives.Compare(x, y) >= 0 ? x : y);
        }
        if (Minimum || AllStats)
        {
            info.Minimum = values.Aggregate((x, y) => LanguagePrimitives.Compare(x, y) <= 0 ? x : y);
        }
        if (!(Sum || Average || StandardDeviation || AllStats))
        {
            return info;
        }
        double[] numbers = values.Select(LanguagePrimitives.ConvertTo<double>).ToArray();
        double mean = numbers.Average();
        if (Sum || AllStats)
        {
            info.Sum = numbers.Sum();
        }
        if (Average || AllStats)
        {
            info.Average = mean;
        }
        if ((StandardDeviation || AllStats) && numbers.Length > 1)
        {
            info.StandardDeviation =
                Math.Sqrt(numbers.Sum(number => (number - mean) * (number - mean)) / (numbers.Length - 1));
        }
        return info;
    }
}

[Cmdlet(VerbsDiagnostic.Measure, "Command")]
public sealed class MeasureCommandCommand : PSCmdlet
{
    private readonly Stopwatch _clock = new();

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Mandatory = true, Position = 0)]
    public ScriptBlock Expression { get; set; } = null!;

    protected override void ProcessRecord()
    {
        _clock.Start();
        foreach (PSObject _ in InvokeCommand.InvokeScript(
            SessionState,
            ScriptBlock.Create("param($block, $item) $item | . $block | Out-Null"),
            Expression,
            InputObject!))
        {
        }
        _clock.Stop();
    }

    protected override void EndProcessing() => WriteObject(_clock.Elapsed);
}
