# article-before.ps1 in one line: the same hashtable, verbose lines in the same rhythm. Needs the module: Import-Module
# RustRunspaces.
[CmdletBinding()]
param(
    [string[]] $ComputerName = @('localhost', '127.0.0.1', '::1'),

    [double] $MaximumWaitTimeSeconds = 300
)

Invoke-RustParallel -ComputerName $ComputerName -MaximumWaitTimeSeconds $MaximumWaitTimeSeconds

# Where the work per host is something else, it is the script block of the template, as it stands:
#
#     Invoke-RustParallel -ComputerName $ComputerName -MaximumThreadCount 32 -ScriptBlock {
#         param([string] $ComputerName)
#         $Data[$ComputerName] = [PSCustomObject]@{
#             Ping         = Test-Connection -ComputerName $ComputerName -Quiet
#             TimeFinished = [DateTime]::Now
#         }
#     }
