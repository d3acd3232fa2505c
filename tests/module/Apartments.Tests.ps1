# COM in jobs: the apartment that a job's thread is in, and objects that live there. Only Windows has COM.
# That a worker without a job dispatches window messages is tested elsewhere.

BeforeAll {
    . "$PSScriptRoot/Session.ps1"

    # A COM object that every Windows has. It lives in the apartment that makes it.
    $NewDictionary = "[Activator]::CreateInstance([type]::GetTypeFromProgID('Scripting.Dictionary'))"
}

Describe 'apartments of jobs' {
    It 'jobs are in the apartment asked for: <Arguments>' -ForEach @(
        @{ Arguments = ''; Apartment = 'STA' }
        @{ Arguments = '-ApartmentState STA'; Apartment = 'STA' }
        @{ Arguments = '-ApartmentState MTA'; Apartment = 'MTA' }
        @{ Arguments = '-ApartmentState STA -UseNewRunspace'; Apartment = 'STA' }
    ) {
        Use-Windows
        Get-Line "1..4 | Invoke-RustParallel { [Threading.Thread]::CurrentThread.GetApartmentState() } $Arguments" |
            Should -BeExactly $Apartment, $Apartment, $Apartment, $Apartment
    }

    It 'jobs use COM objects in <_>' -ForEach 'STA', 'MTA' {
        Use-Windows
        Get-SortedLine "'one', 'two' | Invoke-RustParallel { `$made = $NewDictionary; `$made.Add('key', `$_); `"`$(`$made.Count) `$(`$made.Item('key'))`" } -ApartmentState $_" |
            Should -BeExactly '1 one', '1 two'
    }

    It 'finalizers of COM objects end while their job waits for them' {
        Use-Windows
        # An object is released by its apartment's thread, which therefore must not be deaf while it waits.
        Get-Line (@'
1..3 | Invoke-RustParallel -ThrottleLimit 1 -ApartmentState STA -JobTimeoutSeconds 20 {
    function Get-Lost { [WeakReference]::new(DICTIONARY) }
    $lost = 1..5 | ForEach-Object { Get-Lost }; $null = 1..20 | ForEach-Object { "$_" }
    [GC]::Collect(); [GC]::WaitForPendingFinalizers(); [GC]::Collect()
    @($lost | Where-Object { -not $_.IsAlive }).Count -gt 0
}
'@.Replace('DICTIONARY', $NewDictionary)) | Should -BeExactly 'True', 'True', 'True'
    }
}
