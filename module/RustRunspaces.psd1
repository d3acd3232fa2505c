@{
    RootModule             = 'RustRunspaces.dll'
    ModuleVersion          = '0.1.0'
    GUID                   = '701ae52f-0a21-4741-9564-5f7a7ffd99fc'
    Author                 = 'The RustRunspaces authors'
    CompanyName            = 'The RustRunspaces authors'
    Copyright              = '(c) The RustRunspaces authors. MIT license.'
    Description            = 'One piece of work over many computers: pings and connects to tens of thousands of hosts at once, with the engine in Rust.'
    PowerShellVersion      = '5.1'
    DotNetFrameworkVersion = '4.7.2'
    CompatiblePSEditions   = @('Desktop', 'Core')
    FormatsToProcess       = @('RustRunspaces.format.ps1xml')
    CmdletsToExport        = @('Invoke-RustParallel', 'Invoke-RustParallelSite')
    FunctionsToExport      = @()
    AliasesToExport        = @()
    VariablesToExport      = @()
    PrivateData            = @{
        PSData = @{
            Tags         = @('Parallel', 'Runspace', 'Multithreading', 'Ping', 'ICMP', 'TCP', 'PortScan', 'Network', 'Rust', 'Windows', 'Linux')
            ProjectUri   = 'https://github.com/rust-runspaces/rust-runspaces'
            LicenseUri   = 'https://opensource.org/license/mit'
            ReleaseNotes = 'https://github.com/rust-runspaces/rust-runspaces/blob/main/CHANGELOG.md'
        }
    }
}
