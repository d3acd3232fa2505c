# The help, compared with what the command really is.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $CommandName = 'Invoke-RustParallel'
    # What it starts in sessions; nobody types it.
    $SiteCommandName = 'Invoke-RustParallelSite'
    $Command = Get-Command "RustRunspaces\$CommandName"

    # The common parameters are every command's.
    function Test-Common { [CmdletBinding()] param() }
    $common = (Get-Command Test-Common).Parameters.Keys
    $Parameters = @($Command.Parameters.Values | Where-Object { $common -notcontains $_.Name })

    $KnownNames = @($Command.Parameters.Values | ForEach-Object { $_.Name; $_.Aliases })

    $HelpDocument = New-Object Xml.XmlDocument
    $HelpDocument.Load((Join-Path $ModuleFolder 'en-US/RustRunspaces.dll-Help.xml'))

    # Of the command that people type; of any other one by its name.
    function Get-CommandHelp([string] $Name) {
        return $HelpDocument.SelectSingleNode("//*[local-name()='command'][*[local-name()='details']/*[local-name()='name']='$Name']")
    }
    $CommandHelp = Get-CommandHelp $CommandName

    # The elements below a node by a path of names, whatever their namespace.
    function Select-Element($Node, [string] $Path) { $Node.SelectNodes(($Path -replace '[A-Za-z]+', '*[local-name()=''$0'']')) }

    # The text of the first of them, or ''.
    function Get-ElementText($Node, [string] $Path) {
        $element = @(Select-Element $Node $Path)[0]
        if ($null -eq $element) { return '' }
        return $element.InnerText.Trim()
    }

    # The documented parameters by name.
    $Documented = @{}
    Select-Element $CommandHelp './/parameters/parameter' | ForEach-Object { $Documented.Add((Get-ElementText $_ 'name'), $_) }

    # The code has no syntax error, calls the command, and with parameters that it has.
    function Assert-CallFits([string] $Code) {
        $tokens, $problems = $null, $null
        $script = [Management.Automation.Language.Parser]::ParseInput($Code, [ref] $tokens, [ref] $problems)
        $problems | Should -BeNullOrEmpty -Because $Code
        $calls = @($script.FindAll({ param($node) $node -is [Management.Automation.Language.CommandAst] -and $node.GetCommandName() -eq $CommandName }, $true))
        $calls.Count | Should -BeGreaterThan 0 -Because "$Code shall call the command"
        $calls | ForEach-Object { $_.CommandElements } |
            Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] -and $KnownNames -notcontains $_.ParameterName } |
            Should -BeNullOrEmpty -Because "these parameters shall be the command's: $Code"
    }
}

Describe 'help of the command' {
    It 'every command has help and is exported, and nothing else' {
        $manifest = Import-PowerShellDataFile $ModuleManifest
        Get-SortedLine '(Get-Module RustRunspaces).ExportedCommands.Keys' | Should -BeExactly $CommandName, $SiteCommandName
        $manifest['CmdletsToExport'] | Should -BeExactly $CommandName, $SiteCommandName
        Select-Element $HelpDocument '//details/name' | ForEach-Object { $_.InnerText.Trim() } | Should -BeExactly $CommandName, $SiteCommandName
        foreach ($list in 'FunctionsToExport', 'AliasesToExport', 'VariablesToExport') {
            $manifest.ContainsKey($list) | Should -BeTrue -Because $list
            $manifest[$list] | Should -BeNullOrEmpty -Because $list
        }
    }

    It 'the documented parameters are those of the command' {
        $Documented.Keys | Sort-Object | Should -BeExactly ($Parameters | ForEach-Object { $_.Name } | Sort-Object)
    }

    It 'the parameters of the command that it starts in sessions are documented' {
        $names = Select-Element (Get-CommandHelp $SiteCommandName) './/parameters/parameter' | ForEach-Object { Get-ElementText $_ 'name' }
        $names | Should -BeExactly ((Get-Command "RustRunspaces\$SiteCommandName").Parameters.Keys | Where-Object { $common -notcontains $_ } | Sort-Object)
    }

    It 'every parameter is described' {
        foreach ($name in $Documented.Keys) { Get-ElementText $Documented[$name] 'description' | Should -Not -BeNullOrEmpty -Because $name }
    }

    It 'the syntax has the parameters of each parameter set' {
        $syntax = foreach ($item in Select-Element $CommandHelp './/syntaxItem') {
            (Select-Element $item 'parameter/name' | ForEach-Object { $_.InnerText.Trim() } | Sort-Object) -join ' '
        }
        # Not those that are there only to be refused in words.
        $sets = foreach ($set in $Command.ParameterSets) {
            $shown = $set.Parameters | Where-Object { -not ($_.Attributes | Where-Object { $_.DontShow -and $_.ParameterSetName -eq $set.Name }) }
            ($shown | ForEach-Object { $_.Name } | Where-Object { $common -notcontains $_ } | Sort-Object) -join ' '
        }
        $syntax | Sort-Object | Should -BeExactly ($sets | Sort-Object)
    }

    It 'type, aliases, position and pipeline input are documented as they are' {
        foreach ($parameter in $Parameters) {
            $name = $parameter.Name
            $element = $Documented[$name]
            $set = @($parameter.ParameterSets.Values)[0]
            $aliases = if ($parameter.Aliases.Count -eq 0) { 'none' } else { $parameter.Aliases -join ', ' }
            $ways = @(
                if ($set.ValueFromPipeline) { 'ByValue' }
                if ($set.ValueFromPipelineByPropertyName) { 'ByPropertyName' }
            )
            $pipeline = if ($ways.Count -eq 0) { 'false' } else { "true ($($ways -join ', '))" }
            $position = if ($set.Position -eq [int]::MinValue) { 'named' } else { "$($set.Position)" }
            $element.GetAttribute('aliases') | Should -BeExactly $aliases -Because $name
            $element.GetAttribute('pipelineInput') | Should -BeExactly $pipeline -Because $name
            $element.GetAttribute('position') | Should -BeExactly $position -Because $name
            $element.GetAttribute('required') | Should -BeExactly ("$($set.IsMandatory)".ToLowerInvariant()) -Because $name
            Get-ElementText $element 'type/name' | Should -BeExactly $parameter.ParameterType.Name -Because $name
        }
    }

    It 'every error''s id is documented' {
        $sources = Get-ChildItem (Get-RepositoryFile 'module') -Recurse -Filter *.cs | ForEach-Object { [IO.File]::ReadAllText($_.FullName) }
        $ids = [regex]::Matches("$sources", '(?:"([A-Z][A-Za-z]+)" : )?"([A-Z][A-Za-z]+)",\s+ErrorCategory\.') |
            ForEach-Object { $_.Groups[1].Value, $_.Groups[2].Value } |
            Where-Object { $_ -and $_ -ne 'ActionPreferenceStop' } | # the engine's
            Sort-Object -Unique
        $ids.Count | Should -BeGreaterThan 25
        $text = $CommandHelp.InnerText
        $ids | Where-Object { $text -cnotmatch "\b$_\b" } | Should -BeNullOrEmpty
    }

    It 'every range is documented' {
        $count = 0
        foreach ($parameter in $Parameters) {
            foreach ($range in $parameter.Attributes | Where-Object { $_ -is [ValidateRange] }) {
                if ($range.MaxRange -isnot [int] -or $range.MaxRange -eq [int]::MaxValue) { continue }
                $count++
                Get-ElementText $Documented[$parameter.Name] 'description' | Should -BeLikeExactly "*$($range.MinRange) to $($range.MaxRange)*" -Because $parameter.Name
            }
        }
        $count | Should -BeGreaterThan 0
    }

    It 'the default of <Parameter> is documented' -ForEach @(
        @{ Parameter = 'Count'; Echo = '4'; Tcp = '1' }
        @{ Parameter = 'ReplyTimeoutMilliseconds'; Echo = '1000'; Tcp = '2000' }
        @{ Parameter = 'IntervalMilliseconds'; Echo = '1000'; Tcp = '1000' }
        @{ Parameter = 'BufferSize'; Echo = '32'; Tcp = '32' }
        @{ Parameter = 'PacketsPerSecond'; Echo = '20000'; Tcp = '20000' }
        @{ Parameter = 'MaximumWaitTimeSeconds'; Echo = '300'; Tcp = '300' }
    ) {
        Get-ElementText $Documented[$Parameter] 'defaultValue' | Should -MatchExactly "\b$Echo\b"
        Get-ElementText $Documented[$Parameter] 'defaultValue' | Should -MatchExactly "\b$Tcp\b"
    }

    It 'the engine finds the help' {
        $output = @((Invoke-CleanScript "Get-Help $CommandName -Full").Output)
        $output.Count | Should -Be 1
        $output[0].Synopsis | Should -BeLikeExactly '*hosts*'
        $names = [string[]] @($Parameters | ForEach-Object { $_.Name })
        Get-Line '$names | ForEach-Object { Get-Help $command -Parameter $_ } | ForEach-Object { $_.name }' @{ names = $names; command = $CommandName } |
            Should -BeExactly $names
    }

    It 'there are at least three examples, each with a title and a remark' {
        $examples = @(Select-Element $CommandHelp './/example')
        $examples.Count | Should -BeGreaterOrEqual 3
        $examples.Count | Should -BeLessOrEqual 30
        foreach ($example in $examples) {
            Get-ElementText $example 'title' | Should -Not -BeNullOrEmpty
            Get-ElementText $example 'remarks' | Should -Not -BeNullOrEmpty
        }
    }

    It 'the code of every example parses and calls the command as it is' {
        foreach ($example in Select-Element $CommandHelp './/example') { Assert-CallFits (Get-ElementText $example 'code') }
    }
}

Describe 'about topic' {
    It 'it names every state of the probe form and shows calls that parse' {
        $topic = [IO.File]::ReadAllText((Join-Path $ModuleFolder 'en-US/about_RustRunspaces.help.txt'))
        foreach ($state in @(
                'Success', 'Refused', 'TimedOut', 'NameNotFound', 'NameLookupTimedOut', 'Unknown', 'PermissionDenied', 'Failed', 'Stopped', 'NotStarted')) {
            $topic | Should -MatchExactly "\b$state\b"
        }
        $calls = [regex]::Matches($topic, "(?m)^        \S.*$CommandName.*(\n            .*)*")
        $calls.Count | Should -BeGreaterThan 0
        foreach ($call in $calls) { Assert-CallFits $call.Value }
    }

    It 'the engine finds it' {
        $lines = @(Get-Line 'Get-Help about_RustRunspaces')
        $lines.Count | Should -Be 1
        $lines[0] | Should -BeLikeExactly '*Invoke-RustParallel*'
    }
}
