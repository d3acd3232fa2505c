# The stand-ins under the name of the module they stand in for: the engine loads it by itself at
# the first use of one of these cmdlets, in every runspace of the process.
@{
    RootModule           = '../../ManagementStandIns.dll'
    ModuleVersion        = '7.0.0.0'
    GUID                 = 'a4a2a8a6-0b53-4a7e-8d20-52f1a7b2a9d4'
    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.0'
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    CmdletsToExport      = @(
        'Add-Content', 'Convert-Path', 'Get-ChildItem', 'Get-Content', 'Get-Item', 'Get-Location',
        'Join-Path', 'New-Item', 'Pop-Location', 'Push-Location', 'Remove-Item', 'Resolve-Path',
        'Set-Content', 'Set-Location', 'Split-Path', 'Test-Path'
    )
}
