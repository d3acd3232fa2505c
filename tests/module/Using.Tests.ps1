# $using: in every form that ForEach-Object -Parallel takes.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    $Prepare = '
        $n = 3; $text = ''hello''; $list = ''zero'', ''one''; $table = @{ key = ''value''; inner = @{ deep = ''down'' } }
        $object = [pscustomobject] @{ Name = ''named''; Inner = [pscustomobject] @{ Name = ''inner'' } }
        $splat = @{ Path = ''/x/leaf''; Leaf = $true }; $positional = ''/x/y'', ''z''; $none = $null
        $global:shared = ''global''; $script:scripted = ''script''; ${odd name} = ''odd''; $env:RUSTRUNSPACES_USING = ''environment''
        '

    # A case is named in one line: \n stands for its line ends.
    function Split-Line([string] $Text) { return $Text.Replace('\n', "`n") }
}

AfterAll { Remove-Item env:RUSTRUNSPACES_USING }

Describe 'using' {
    It 'reads a value of the caller: <Block>' -ForEach @(
        @{ Block = '$using:n'; Expected = '3' }
        @{ Block = '$USING:N'; Expected = '3' }
        @{ Block = '${using:n}'; Expected = '3' }
        @{ Block = '$using:n * $_'; Expected = '3' }
        @{ Block = '$using:text.Length'; Expected = '5' }
        @{ Block = '($using:text).ToUpper()'; Expected = 'HELLO' }
        @{ Block = '($using:text).Substring($using:n)'; Expected = 'lo' }
        @{ Block = '$using:object.Inner.Name'; Expected = 'inner' }
        @{ Block = '($using:list)[$_]'; Expected = 'one' }
        @{ Block = '$using:list[-1]'; Expected = 'one' }
        @{ Block = '$using:table[''key'']'; Expected = 'value' }
        @{ Block = '$using:table.key'; Expected = 'value' }
        @{ Block = '$using:table.inner[''deep'']'; Expected = 'down' }
        @{ Block = '$name = ''key''; ($using:table)[$name]'; Expected = 'value' }
        @{ Block = '"<$using:text>"'; Expected = '<hello>' }
        @{ Block = '"<$($using:text.Length)>"'; Expected = '<5>' }
        @{ Block = '"<${using:text}s>"'; Expected = '<hellos>' }
        @{ Block = '"<$($using:table[''key''])>"'; Expected = '<value>' }
        @{ Block = '@"\n<$using:text>\n"@'; Expected = '<hello>' }
        @{ Block = 'Split-Path @using:splat'; Expected = 'leaf' }
        @{ Block = '(Join-Path @using:positional).Replace(''\'', ''/'')'; Expected = '/x/y/z' }
        @{ Block = 'Split-Path $using:splat.Path -Leaf'; Expected = 'leaf' }
        @{ Block = '$null -eq $using:none'; Expected = 'True' }
        @{ Block = '$using:shared'; Expected = 'global' }
        @{ Block = '$using:global:shared'; Expected = 'global' }
        @{ Block = '$using:script:scripted'; Expected = 'script' }
        @{ Block = '$using:env:RUSTRUNSPACES_USING'; Expected = 'environment' }
        @{ Block = '${using:odd name}'; Expected = 'odd' }
        @{ Block = 'if ($true) { foreach ($i in 1) { switch ($i) { 1 { $using:text } } } }'; Expected = 'hello' }
        @{ Block = 'try { throw 1 } catch { $using:text }'; Expected = 'hello' }
        @{ Block = '& { $using:text }'; Expected = 'hello' }
        @{ Block = '1 | ForEach-Object { $using:text }'; Expected = 'hello' }
        @{ Block = 'function Show { $using:text }; Show'; Expected = 'hello' }
        @{ Block = '@{ x = $using:text }.x'; Expected = 'hello' }
        @{ Block = '[int] $using:n + 1'; Expected = '4' }
        @{ Block = '$x, $y = $using:list; $y'; Expected = 'one' }
        @{ Block = '$using:n; $using:text; $using:n'; Expected = '3', 'hello', '3' }
        @{ Block = '''$using:text'''; Expected = '$using:text' }
        @{ Block = '# $using:absent\n 1'; Expected = '1' }
    ) {
        Get-Line "$Prepare 1 | Invoke-RustParallel -Parallel { $(Split-Line $Block) }" | Should -BeExactly $Expected
    }

    It 'means by a nested block''s own $using: the job that calls it: <Block>' -ForEach @(
        @{ Block = '$inner = 5; 1 | Invoke-RustParallel { $using:inner }'; Expected = '5' }
        @{ Block = '$inner = 5; 1 | ForEach-Object -Parallel { $using:inner }'; Expected = '5' }
        @{ Block = '$inner = 5; "$using:text $(1 | Invoke-RustParallel { $using:inner })"'; Expected = 'hello 5' }
        @{ Block = '$text = ''own''; 1 | Invoke-RustParallel { $using:text }'; Expected = 'own' }
        @{ Block = '$text = "$using:text you"; 1 | Invoke-RustParallel { 1 | Invoke-RustParallel { $_ }; $using:text }'; Expected = '1', 'hello you' }
    ) {
        if ($Block.Contains('ForEach-Object -Parallel')) { Use-PowerShell7 }
        Get-Line "`$text = 'hello'; 1 | Invoke-RustParallel { $Block }" | Should -BeExactly $Expected
    }

    It 'keeps the lines of a splatted value' {
        $run = Invoke-Script (Split-Line '$splat = @{\n Path = "/x/y"\n}\n1 | Invoke-RustParallel {\n (Split-Path @using:splat).Replace("\", "/")\n throw "line 6" }')
        @($run.Errors).Count | Should -Be 1
        $run.Errors[0].ScriptStackTrace | Should -BeLikeExactly '*line 6*'
        ConvertTo-Line $run.Output | Should -BeExactly '/x'
    }

    It 'reads the values of the calling scope' {
        Get-Line '$x = ''outer''; function Start-It { $x = ''local''; 1 | Invoke-RustParallel { $using:x } }; Start-It' | Should -BeExactly 'local'
    }

    It 'keeps the identity of a value' {
        $list = New-Object 'Collections.Generic.List[int]'
        $null = Invoke-CleanScript '1 | Invoke-RustParallel { ($using:list).Add(1) }' @{ list = $list }
        $list.Count | Should -Be 1
    }

    It 'leaves apart a variable of the block''s own with the same name' {
        Get-Line '$text = ''hello''; 1 | Invoke-RustParallel { $text = ''own''; "$text $using:text" }' | Should -BeExactly 'own hello'
    }

    It 'names a value that is not there before anything runs: <_>' -ForEach @(
        'Invoke-RustParallel a { $using:absent }'
        '1 | Invoke-RustParallel { 1 } -InitializationScript { $using:absent }'
    ) {
        $failure = Get-Failure $_
        Get-ErrorId $failure | Should -BeExactly 'UsingVariableNotSet'
        "$failure" | Should -BeLikeExactly '*absent*'
    }

    It 'takes the values of a call inside a job from that job: <_>' -ForEach @(
        '1 | Invoke-RustParallel -Parallel { $using:text }'
        '1 | Invoke-RustParallel -Parallel:{ $using:text }'
        '1 | Invoke-RustParallel -ScriptBlock ({ $using:text })'
        '$block = { $using:text }; 1 | Invoke-RustParallel $block'
        '$call = @{ ScriptBlock = { "$using:text" } }; 1 | Invoke-RustParallel @call'
    ) {
        Get-Line "`$text = 'outer'; 1 | Invoke-RustParallel { `$text = 'inner'; $_ }" | Should -BeExactly 'inner'
    }

    It 'is there in bound blocks: <Block>' -ForEach @(
        @{ Block = '{ param($x = $using:text) "$x$($args.Count)" }'; Expected = '10' }
        @{ Block = '{ [CmdletBinding()] param($x) "$x$using:text" }'; Expected = '1hello' }
        @{ Block = '{ process { "$_$using:text" } }'; Expected = '1hello' }
        @{ Block = '{ begin { $using:text } }'; Expected = 'hello' }
    ) {
        Get-Line "`$text = 'hello'; 1 | Invoke-RustParallel $Block" | Should -BeExactly $Expected
    }

    It 'is there in the initialization script' {
        Get-Line '$text = ''hello''; 1 | Invoke-RustParallel { $global:kept } -InitializationScript { $global:kept = $using:text }' | Should -BeExactly 'hello'
    }

    It 'is there in the host form' {
        "$((Get-Table '$n = 3; Invoke-RustParallel a { "$_$using:n" }')['a'])" | Should -BeExactly 'a3'
    }
}
