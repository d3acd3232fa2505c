// Get-, Set-, New- and Remove-Variable in the caller's scope or a named one.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>Scopes by name or number, counted by the engine from the caller's.</summary>
public abstract class VariableCommandBase : PSCmdlet
{
    [Parameter]
    public string? Scope { get; set; }

    /// <summary>The variable as seen from here, or null.</summary>
    protected PSVariable? Find(string name) => Scope is null
        ? SessionState.PSVariable.Get(name)
        : EngineInternals.VariableAtScope(SessionState, name, Scope);

    protected void Store(PSVariable variable)
    {
        if (Scope is null)
        {
            SessionState.PSVariable.Set(variable);
        }
        else
        {
            EngineInternals.SetVariableAtScope(SessionState, variable, Scope);
        }
    }

    protected ErrorRecord NotFound(string name) => new(
        new ItemNotFoundException($"Cannot find a variable with the name '{name}'."),
        "VariableNotFound",
        ErrorCategory.ObjectNotFound,
        name);
}

[Cmdlet(VerbsCommon.Get, "Variable")]
public sealed class GetVariableCommand : VariableCommandBase
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    public string[] Name { get; set; } = { "*" };

    [Parameter]
    public SwitchParameter ValueOnly { get; set; }

    protected override void ProcessRecord()
    {
        foreach (string name in Name)
        {
            if (!WildcardPattern.ContainsWildcardCharacters(name))
            {
                if (Find(name) is PSVariable variable)
                {
                    Write(variable);
                }
                else
                {
                    WriteError(NotFound(name));
                }
                continue;
            }
            WildcardPattern pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            foreach (PSVariable variable in EngineInternals.Variables(SessionState, Scope)
                .Where(variable => pattern.IsMatch(variable.Name))
                .OrderBy(variable => variable.Name, StringComparer.OrdinalIgnoreCase))
            {
                Write(variable);
            }
        }
    }

    private void Write(PSVariable variable) => WriteObject(ValueOnly ? variable.Value : variable);
}

[Cmdlet(VerbsCommon.Set, "Variable")]
public sealed class SetVariableCommand : VariableCommandBase
{
    private readonly List<object?> _piped = new();

    [Parameter(Mandatory = true, Position = 0)]
    public string[] Name { get; set; } = Array.Empty<string>();

    [Parameter(Position = 1, ValueFromPipeline = true)]
    public object? Value { get; set; }

    [Parameter]
    public ScopedItemOptions? Option { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        if (MyInvocation.ExpectingInput)
        {
            _piped.Add(Value);
        }
    }

    protected override void EndProcessing()
    {
        object? value = !MyInvocation.ExpectingInput ? Value
            : _piped.Count == 1 ? _piped[0] : _piped.ToArray();
        foreach (string name in Name)
        {
            PSVariable? variable = Find(name);
            bool constant = variable is not null
                && (variable.Options & (ScopedItemOptions.Constant | (Force ? 0 : ScopedItemOptions.ReadOnly))) != 0;
            if (constant)
            {
                WriteError(new ErrorRecord(
                    new SessionStateUnauthorizedAccessException(
                        $"Cannot overwrite variable {name} because it is read-only or constant."),
                    "VariableNotWritable",
                    ErrorCategory.WriteError,
                    name));
                continue;
            }
            var stored = new PSVariable(name, value, Option ?? ScopedItemOptions.None);
            Store(stored);
            if (PassThru)
            {
                WriteObject(stored);
            }
        }
    }
}

[Cmdlet(VerbsCommon.New, "Variable")]
public sealed class NewVariableCommand : VariableCommandBase
{
    [Parameter(Mandatory = true, Position = 0)]
    public string Name { get; set; } = "";

    [Parameter(Position = 1, ValueFromPipeline = true)]
    public object? Value { get; set; }

    [Parameter]
    public ScopedItemOptions Option { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        Scope ??= "Local";
        if (!Force && Find(Name) is not null)
        {
            WriteError(new ErrorRecord(
                new SessionStateException($"A variable with name '{Name}' already exists."),
                "VariableAlreadyExists",
                ErrorCategory.ResourceExists,
                Name));
            return;
        }
        Store(new PSVariable(Name, Value, Option));
    }
}

[Cmdlet(VerbsCommon.Remove, "Variable")]
public sealed class RemoveVariableCommand : VariableCommandBase
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    public string[] Name { get; set; } = Array.Empty<string>();

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (string name in Name)
        {
            if (Find(name) is PSVariable variable)
            {
                SessionState.PSVariable.Remove(variable);
            }
            else
            {
                WriteError(NotFound(name));
            }
        }
    }
}
