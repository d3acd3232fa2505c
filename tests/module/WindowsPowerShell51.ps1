# Judges whether Windows PowerShell 5.1 could read and run a script: by the tree and the tokens of this
# PowerShell's parser, which must know what came later to find it all. It runs nothing. What 5.1 has
# says WindowsPowerShell51.psd1.

$Has51 = Import-PowerShellDataFile "$PSScriptRoot/WindowsPowerShell51.psd1"

function New-WordSet([string[]] $Texts) {
    $words = [string[]] ($Texts -split '\s+' -ne '')
    return , [Collections.Generic.HashSet[string]]::new($words, [StringComparer]::OrdinalIgnoreCase)
}

$Cmdlets51 = New-WordSet ($Has51.Cmdlets + $Has51.TestCommands)
$LaterVariables = New-WordSet $Has51.LaterVariables
$LaterAliases = New-WordSet $Has51.LaterAliases
$Encodings51 = New-WordSet $Has51.Encodings
$LaterMembers = New-WordSet $Has51.LaterMembers

# Cmdlet to the later parameters: the shortest name and the whole one.
$LaterParameters = @{}
foreach ($row in $Has51.LaterParameters -split '\r?\n') {
    $cmdlets, $parameters = $row.Split(':')
    foreach ($cmdlet in -split $cmdlets) {
        $LaterParameters[$cmdlet] += @(-split $parameters | ForEach-Object { @{ Shortest = $_.Split('(')[0]; Name = $_ -replace '[()]' } })
    }
}
$Aliases51 = @{}
foreach ($row in $Has51.Aliases -split '\r?\n') {
    $cmdlet, $aliases = $row.Split(':')
    foreach ($alias in -split $aliases) { $Aliases51[$alias] = $cmdlet }
}

# Today's accelerators that 5.1 has not, and the full names of those that are PowerShell's own types.
# [ordered] is none in either: the parser knows it.
$LaterTypes = & {
    $accelerators = New-WordSet $Has51.Accelerators, 'ordered'
    $today = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')::Get
    New-WordSet @(foreach ($name in $today.Keys) {
            if ($accelerators.Contains($name)) { continue }
            $name
            if ($today[$name].Assembly -eq [psobject].Assembly) { $today[$name].FullName -replace '^System\.' }
        })
}

# What has to be looked at: by name, as 5.1 does not know the later ones.
$JudgedTokens = New-WordSet 'Comment LineContinuation QuestionQuestion QuestionQuestionEquals QuestionDot QuestionLBracket AndAnd OrOr Pipe Number StringExpandable HereStringExpandable'
$JudgedNodes = New-WordSet @'
CommandAst VariableExpressionAst MemberExpressionAst InvokeMemberExpressionAst TypeExpressionAst AttributeAst
TypeConstraintAst TernaryExpressionAst PipelineAst ScriptBlockAst BinaryExpressionAst TypeDefinitionAst
NamedAttributeArgumentAst
'@

# Commands of the tests that take a script as text.
$ScriptTakers = New-WordSet 'Start-Script Invoke-Script Invoke-CleanScript Get-Line Get-SortedLine Get-Result Get-Table Get-Failure Get-ChildLine'

# The functions that a script defines.
function Get-FunctionName([string] $Text) {
    [Management.Automation.Language.Parser]::ParseInput($Text, [ref] $null, [ref] $null).FindAll({ $args[0] -is [Management.Automation.Language.FunctionDefinitionAst] }, $true) |
        ForEach-Object { $_.Name -replace '^(global|script|local|private):' }
}

# NAME:LINE: what 5.1 has not. Own commands are those that come with the repository.
function Get-Complaint([string] $Name, [string] $Text, $OwnCommands) {
    $complaints = New-Object Collections.Generic.List[string]
    # Also those that the scripts define which it writes into files and runs.
    $OwnCommands = New-WordSet (@($OwnCommands) + @([regex]::Matches($Text, '\bfunction (?:\w+:)?([A-Za-z]+-\w+)') | ForEach-Object { $_.Groups[1].Value }))
    if ($Name -notlike '*.ps1xml') { Test-Script $Text }
    else {
        foreach ($block in ([xml] $Text).SelectNodes('//*[local-name()=''ScriptBlock'' or local-name()=''GetScriptBlock'' or local-name()=''SetScriptBlock'' or local-name()=''Script'']')) {
            Test-Script $block.InnerText
        }
    }
    return $complaints
}

# What follows fills the $complaints of Get-Complaint, whose $Name and $OwnCommands it sees.

function Add-Complaint($Extent, [string] $What) {
    $complaints.Add("${Name}:$($Extent.StartLineNumber + $linesBefore): $What")
}

# The same of what parses in 5.1: a test that has said Use-PowerShell7 does not run there.
function Add-RunComplaint($Node, [string] $What) {
    if (-not (Test-OnlyPowerShell7 $Node)) { Add-Complaint $Node.Extent $What }
}

function Test-OnlyPowerShell7($Node) {
    for (; $Node; $Node = $Node.Parent) {
        if ($Node.GetType().Name -eq 'CommandAst' -and $Node.GetCommandName() -eq 'It') { return $Node.Extent.Text -match '\bUse-PowerShell7\b' }
    }
    return $false
}

# A script inside another has lines before it.
function Test-Script([string] $Text, [int] $LinesBefore = 0, [switch] $IsTemplate) {
    $tokens = $errors = $null
    $script = [Management.Automation.Language.Parser]::ParseInput($Text, [ref] $tokens, [ref] $errors)
    if (-not $IsTemplate) { foreach ($problem in $errors) { Add-Complaint $problem.Extent $problem.Message } }
    Test-Token $tokens
    foreach ($node in $script.FindAll({ $true }, $true)) { if ($JudgedNodes.Contains($node.GetType().Name)) { Test-Node $node } }
}

function Test-Token($Tokens) {
    $before = $null
    foreach ($token in $Tokens) {
        $kind = $token.Kind.ToString()
        if (-not $JudgedTokens.Contains($kind)) { $before = $kind; continue }
        if ($kind -in 'Comment', 'LineContinuation') { continue }
        if ($kind -in 'QuestionQuestion', 'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'AndAnd', 'OrOr') {
            Add-Complaint $token.Extent "the operator $($token.Text)"
        }
        elseif ($kind -eq 'Pipe' -and $before -eq 'NewLine') { Add-Complaint $token.Extent 'a pipe at the beginning of a line' }
        elseif ($kind -eq 'Number' -and $token.Text -match '^[+-]?(0b|0x[0-9a-f]+(u|s|us|ul|n)|[0-9.]+(e[+-]?[0-9]+)?(y|u|s|n|uy|us|ul))([kmgtp]b)?$|^[+-]?0b') {
            Add-Complaint $token.Extent "the number $($token.Text)"
        }
        elseif ($kind -in 'StringExpandable', 'HereStringExpandable' -and $token.Text -cmatch '(?<!`)(``)*`(e|u\{)') {
            Add-Complaint $token.Extent 'the escapes `e and `u{}'
        }
        $before = $kind
    }
}

function Test-Node($Node) {
    switch ($Node.GetType().Name) {
        'CommandAst' { Test-Command $Node }
        'VariableExpressionAst' {
            $unscoped = $Node.VariablePath.UserPath -replace '^[^:]*:'
            if ($Node.VariablePath.IsVariable -and $LaterVariables.Contains($unscoped)) { Add-RunComplaint $Node "the variable `$$unscoped" }
        }
        { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst' } {
            if ($Node.GenericTypeArguments) { Add-Complaint $Node.Extent 'type arguments of a method' }
            if (-not $Node.Static -or $Node.Expression.GetType().Name -ne 'TypeExpressionAst') { continue }
            $called = ($Node.Expression.TypeName.FullName -replace '^System\.') + '::' + $Node.Member.Value
            $count = @($Node.Arguments | Where-Object { $_ }).Count
            if ($LaterMembers.Contains($called) -or $LaterMembers.Contains("$called/$count")) { Add-RunComplaint $Node "the member $called" }
        }
        'TypeExpressionAst' { Test-Type $Node $Node.TypeName }
        { $_ -in 'AttributeAst', 'TypeConstraintAst' } { Test-Type $Node $Node.TypeName }
        'TernaryExpressionAst' { Add-Complaint $Node.Extent 'the ternary operator' }
        'PipelineAst' { if ($Node.Background) { Add-Complaint $Node.Extent 'a background job by &' } }
        'ScriptBlockAst' { if ($Node.CleanBlock) { Add-Complaint $Node.Extent 'a clean block' } }
        'BinaryExpressionAst' {
            if ("$($Node.Operator)" -eq 'DotDot' -and (@($Node.Left, $Node.Right) | Where-Object { Test-Text $_ })) { Add-RunComplaint $Node 'a range of characters' }
        }
        'TypeDefinitionAst' { if ($Node.IsEnum -and $Node.BaseTypes.Count) { Add-Complaint $Node.Extent 'the type of an enum''s values' } }
        'NamedAttributeArgumentAst' { if ($Node.ArgumentName -eq 'ErrorMessage') { Add-RunComplaint $Node 'the ErrorMessage of an attribute' } }
    }
}

function Test-Text($Value) { return $Value.GetType().Name -eq 'StringConstantExpressionAst' -and $Value.Value -notmatch '^\s*[+-]?\d+\s*$' }

function Test-Type($Node, $Type) {
    switch ($Type.GetType().Name) {
        'ArrayTypeName' { Test-Type $Node $Type.ElementType }
        'GenericTypeName' { foreach ($part in @($Type.TypeName) + $Type.GenericArguments) { Test-Type $Node $part } }
        default { if ($LaterTypes.Contains(($Type.FullName -replace '^System\.'))) { Add-RunComplaint $Node "the type [$($Type.FullName)]" } }
    }
}

function Test-Command($Command) {
    $called = $Command.GetCommandName() -replace '^.*?\\'
    if (-not $called) { return }
    $cmdlet = if ($Aliases51.ContainsKey($called)) { $Aliases51[$called] } else { $called }
    # Without a hyphen it is a program or an alias; with one it must be known.
    $isUnknown = $cmdlet -match '^[A-Za-z]+-\w+$' -and -not $Cmdlets51.Contains($cmdlet) -and -not $OwnCommands.Contains($cmdlet)
    if ($isUnknown -or $LaterAliases.Contains($cmdlet)) { Add-RunComplaint $Command "the command $cmdlet" }
    $elements = $Command.CommandElements
    $paths = 0
    for ($i = 1; $i -lt $elements.Count; $i++) {
        if ($elements[$i].GetType().Name -eq 'CommandParameterAst') { Test-Parameter $cmdlet $elements[$i] $(if ($i + 1 -lt $elements.Count) { $elements[$i + 1] }) }
        elseif ($elements[$i - 1].GetType().Name -ne 'CommandParameterAst' -or $elements[$i - 1].Argument -or $elements[$i - 1].ParameterName -match '^(pa|ch|r)') { $paths++ }
    }
    # Those past the second are -AdditionalChildPath, by position.
    if ($cmdlet -eq 'Join-Path' -and $paths -gt 2) { Add-RunComplaint $Command 'a third part of Join-Path' }
    if ($ScriptTakers.Contains($cmdlet) -and $elements.Count -gt 1) { Test-ScriptText $Command $elements[1] }
}

function Test-Parameter([string] $Cmdlet, $Parameter, $Next) {
    $named = $Parameter.ParameterName
    foreach ($later in @($LaterParameters['*']) + $LaterParameters[$Cmdlet]) {
        if ($later -and $later.Name.StartsWith($named, 'OrdinalIgnoreCase') -and $named.StartsWith($later.Shortest, 'OrdinalIgnoreCase')) {
            Add-RunComplaint $Parameter "the parameter -$named of $Cmdlet"
            break
        }
    }
    $isEncoding = $named.StartsWith('En', 'OrdinalIgnoreCase') -and 'Encoding'.StartsWith($named, 'OrdinalIgnoreCase') -and $Cmdlets51.Contains($Cmdlet)
    $value = if ($Parameter.Argument) { $Parameter.Argument } else { $Next }
    if ($isEncoding -and $value.GetType().Name -in 'StringConstantExpressionAst', 'ConstantExpressionAst' -and -not $Encodings51.Contains("$($value.Value)")) {
        Add-RunComplaint $value "the encoding $($value.Value)"
    }
}

# A script in a string, whose functions are its own commands. One that is put together is a template:
# it need not parse.
function Test-ScriptText($Command, $Script) {
    $type = $Script.GetType().Name
    if ($type -notin 'StringConstantExpressionAst', 'ExpandableStringExpressionAst' -or (Test-OnlyPowerShell7 $Command)) { return }
    $OwnCommands = New-WordSet (@($OwnCommands) + @(Get-FunctionName $Script.Value))
    $isHereString = "$($Script.StringConstantType)" -like '*HereString'
    Test-Script $Script.Value ($LinesBefore + $Script.Extent.StartLineNumber - 1 + [int] $isHereString) -IsTemplate:($type -like 'Expandable*')
}
