# The stand-ins under the name of the module they stand in for: the engine loads it by itself at
# the first use of one of these cmdlets, in every runspace of the process.
@{
    RootModule           = '../../UtilityStandIns.dll'
    ModuleVersion        = '7.0.0.0'
    GUID                 = '3a2d3c0e-5f0b-4c41-9b11-0c6a6a6f8d61'
    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.0'
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    CmdletsToExport      = @(
        'Add-Member', 'Compare-Object', 'ConvertFrom-Csv', 'ConvertFrom-Json', 'ConvertTo-Csv',
        'ConvertTo-Json', 'Export-Csv', 'Format-List', 'Format-Table', 'Get-Culture', 'Get-Date',
        'Get-Host', 'Get-Member', 'Get-Random', 'Get-UICulture', 'Get-Variable', 'Group-Object',
        'Import-Csv', 'Import-PowerShellDataFile', 'Invoke-Expression', 'Measure-Command',
        'Measure-Object', 'New-Guid', 'New-Object', 'New-TimeSpan', 'New-Variable', 'Out-File',
        'Out-String', 'Remove-Variable', 'Select-Object', 'Set-Variable', 'Sort-Object',
        'Start-Sleep', 'Write-Debug', 'Write-Error', 'Write-Host', 'Write-Information',
        'Write-Output', 'Write-Progress', 'Write-Verbose', 'Write-Warning'
    )
}
