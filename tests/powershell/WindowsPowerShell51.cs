// What Windows PowerShell 5.1 has: the cmdlets of its own modules and its type accelerators, as its
// reference documentation lists them; and what later versions added to cmdlets that it has, by the
// release notes of PowerShell 6.0 to 7.5.

using System;
using System.Collections.Generic;
using System.Linq;

namespace RustRunspaces.PowerShellTests;

internal static class WindowsPowerShell51
{
    public static readonly IReadOnlySet<string> Cmdlets = Words(
        // Microsoft.PowerShell.Core
        """
        Add-History Add-PSSnapin Clear-History Connect-PSSession Debug-Job Disable-PSRemoting
        Disable-PSSessionConfiguration Disconnect-PSSession Enable-PSRemoting Enable-PSSessionConfiguration
        Enter-PSHostProcess Enter-PSSession Exit-PSHostProcess Exit-PSSession Export-Console Export-ModuleMember
        ForEach-Object Get-Command Get-Help Get-History Get-Job Get-Module Get-PSHostProcessInfo Get-PSSession
        Get-PSSessionCapability Get-PSSessionConfiguration Get-PSSnapin Import-Module Invoke-Command Invoke-History
        New-Module New-ModuleManifest New-PSRoleCapabilityFile New-PSSession New-PSSessionConfigurationFile
        New-PSSessionOption New-PSTransportOption Out-Default Out-Host Out-Null Receive-Job Receive-PSSession
        Register-ArgumentCompleter Register-PSSessionConfiguration Remove-Job Remove-Module Remove-PSSession
        Remove-PSSnapin Resume-Job Save-Help Set-PSDebug Set-PSSessionConfiguration Set-StrictMode Start-Job Stop-Job
        Suspend-Job Test-ModuleManifest Test-PSSessionConfigurationFile Unregister-PSSessionConfiguration Update-Help
        Wait-Job Where-Object
        """,
        // Microsoft.PowerShell.Management
        """
        Add-Computer Add-Content Checkpoint-Computer Clear-Content Clear-EventLog Clear-Item Clear-ItemProperty
        Clear-RecycleBin Complete-Transaction Convert-Path Copy-Item Copy-ItemProperty Debug-Process
        Disable-ComputerRestore Enable-ComputerRestore Get-ChildItem Get-Clipboard Get-ComputerInfo
        Get-ComputerRestorePoint Get-Content Get-ControlPanelItem Get-EventLog Get-HotFix Get-Item Get-ItemProperty
        Get-ItemPropertyValue Get-Location Get-Process Get-PSDrive Get-PSProvider Get-Service Get-TimeZone
        Get-Transaction Get-WmiObject Invoke-Item Invoke-WmiMethod Join-Path Limit-EventLog Move-Item
        Move-ItemProperty New-EventLog New-Item New-ItemProperty New-PSDrive New-Service New-WebServiceProxy
        Pop-Location Push-Location Register-WmiEvent Remove-Computer Remove-EventLog Remove-Item Remove-ItemProperty
        Remove-PSDrive Remove-WmiObject Rename-Computer Rename-Item Rename-ItemProperty
        Reset-ComputerMachinePassword Resolve-Path Restart-Computer Restart-Service Restore-Computer Resume-Service
        Set-Clipboard Set-Content Set-Item Set-ItemProperty Set-Location Set-Service Set-TimeZone Set-WmiInstance
        Show-ControlPanelItem Show-EventLog Split-Path Start-Process Start-Service Start-Transaction Stop-Computer
        Stop-Process Stop-Service Suspend-Service Test-ComputerSecureChannel Test-Connection Test-Path
        Undo-Transaction Use-Transaction Wait-Process Write-EventLog
        """,
        // Microsoft.PowerShell.Utility
        """
        Add-Member Add-Type Clear-Variable Compare-Object ConvertFrom-Csv ConvertFrom-Json ConvertFrom-SddlString
        ConvertFrom-String ConvertFrom-StringData ConvertTo-Csv ConvertTo-Html ConvertTo-Json ConvertTo-Xml Convert-String Debug-Runspace
        Disable-PSBreakpoint Disable-RunspaceDebug Enable-PSBreakpoint Enable-RunspaceDebug Export-Alias
        Export-Clixml Export-Csv Export-FormatData Export-PSSession Format-Custom Format-Hex Format-List
        Format-Table Format-Wide Get-Alias Get-Culture Get-Date Get-Event Get-EventSubscriber Get-FileHash
        Get-FormatData Get-Host Get-Member Get-PSBreakpoint Get-PSCallStack Get-Random Get-Runspace
        Get-RunspaceDebug Get-TraceSource Get-TypeData Get-UICulture Get-Unique Get-Variable Group-Object
        Import-Alias Import-Clixml Import-Csv Import-LocalizedData Import-PowerShellDataFile Import-PSSession
        Invoke-Expression Invoke-RestMethod Invoke-WebRequest Measure-Command Measure-Object New-Alias New-Event
        New-Guid New-Object New-TemporaryFile New-TimeSpan New-Variable Out-File Out-GridView Out-Printer Out-String
        Read-Host Register-EngineEvent Register-ObjectEvent Remove-Event Remove-PSBreakpoint Remove-TypeData
        Remove-Variable Select-Object Select-String Select-Xml Send-MailMessage Set-Alias Set-Date Set-PSBreakpoint
        Set-TraceSource Set-Variable Show-Command Sort-Object Start-Sleep Tee-Object Trace-Command Unblock-File
        Unregister-Event Update-FormatData Update-List Update-TypeData Wait-Debugger Wait-Event Write-Debug
        Write-Error Write-Host Write-Information Write-Output Write-Progress Write-Verbose Write-Warning
        """,
        // Microsoft.PowerShell.Security, .Host and .Diagnostics, CimCmdlets
        """
        ConvertFrom-SecureString ConvertTo-SecureString Get-Acl Get-AuthenticodeSignature Get-CmsMessage
        Get-Credential Get-ExecutionPolicy Get-PfxCertificate New-FileCatalog Protect-CmsMessage Set-Acl
        Set-AuthenticodeSignature Set-ExecutionPolicy Test-FileCatalog Unprotect-CmsMessage Start-Transcript
        Stop-Transcript Export-Counter Get-Counter Get-WinEvent Import-Counter New-WinEvent Get-CimAssociatedInstance
        Get-CimClass Get-CimInstance Get-CimSession Invoke-CimMethod New-CimInstance New-CimSession
        New-CimSessionOption Register-CimIndicationEvent Remove-CimInstance Remove-CimSession Set-CimInstance
        """);

    public static readonly IReadOnlySet<string> Accelerators = Words(
        """
        Alias AllowEmptyCollection AllowEmptyString AllowNull ArgumentCompleter array bool byte char
        CmdletBinding datetime decimal double DscResource float single guid hashtable int int32 int16 long int64
        ciminstance cimclass cimtype cimconverter IPEndpoint NullString OutputType ObjectSecurity Parameter
        PhysicalAddress pscredential PSDefaultValue pslistmodifier psobject pscustomobject psprimitivedictionary ref
        PSTypeNameAttribute regex DscProperty sbyte string SupportsWildcards switch cultureinfo bigint securestring
        timespan uint16 uint32 uint64 uri ValidateCount ValidateDrive ValidateLength ValidateNotNull
        ValidateNotNullOrEmpty ValidatePattern ValidateRange ValidateScript ValidateSet ValidateTrustedData
        ValidateUserDrive version void ipaddress DscLocalConfigurationManager WildcardPattern X509Certificate
        X500DistinguishedName xml CimSession adsi adsisearcher wmiclass wmi wmisearcher mailaddress scriptblock
        psvariable type psmoduleinfo powershell runspacefactory runspace initialsessionstate psscriptmethod
        psscriptproperty psnoteproperty psaliasproperty psvariableproperty object
        """);

    /// <summary>Parameters that later versions gave to cmdlets of 5.1, as Cmdlet:Parameter.</summary>
    public static readonly IReadOnlySet<string> LaterParameters = Words(
        """
        ForEach-Object:Parallel ForEach-Object:ThrottleLimit ForEach-Object:TimeoutSeconds ForEach-Object:AsJob
        ForEach-Object:UseNewRunspace Where-Object:Not Add-Content:AsByteStream Set-Content:AsByteStream
        Get-Content:AsByteStream ConvertFrom-Json:AsHashtable ConvertFrom-Json:Depth ConvertFrom-Json:NoEnumerate
        ConvertFrom-Json:DateKind ConvertTo-Json:AsArray ConvertTo-Json:EnumsAsStrings ConvertTo-Json:EscapeHandling
        ConvertTo-Csv:QuoteFields ConvertTo-Csv:UseQuotes ConvertTo-Csv:NoHeader ConvertTo-Csv:IncludeTypeInformation
        Export-Csv:QuoteFields Export-Csv:UseQuotes Export-Csv:NoHeader Export-Csv:IncludeTypeInformation
        Get-ChildItem:FollowSymlink Get-Date:AsUTC Get-Date:UnixTimeSeconds Get-Random:Shuffle
        Invoke-Command:HostName Invoke-Command:KeyFilePath Invoke-Command:SSHConnection Invoke-Command:UserName
        Invoke-RestMethod:SkipCertificateCheck Invoke-WebRequest:SkipCertificateCheck Join-Path:AdditionalChildPath
        Join-Path:Extension New-PSSession:HostName New-PSSession:KeyFilePath New-PSSession:SSHConnection New-PSSession:UserName
        Measure-Object:AllStats Measure-Object:StandardDeviation New-Guid:Empty New-Guid:InputObject
        Out-String:NoNewline Resolve-Path:RelativeBasePath Select-Object:CaseInsensitive Select-String:Culture
        Select-String:NoEmphasis Select-String:Raw Set-Service:Credential Sort-Object:Bottom Sort-Object:Stable
        Sort-Object:Top Split-Path:Extension Split-Path:LeafBase Start-Process:Environment Start-Sleep:Duration
        Tee-Object:Encoding Test-Connection:IPv4 Test-Connection:IPv6 Test-Connection:MaxHops
        Test-Connection:MtuSize Test-Connection:Ping Test-Connection:Repeat Test-Connection:ResolveDestination
        Test-Connection:TargetName Test-Connection:TcpPort Test-Connection:TimeoutSeconds
        Test-Connection:Traceroute
        """);

    /// <summary>Automatic variables that later versions brought.</summary>
    public static readonly IReadOnlySet<string> LaterVariables =
        Words("IsWindows IsLinux IsMacOS IsCoreCLR PSStyle EnabledExperimentalFeatures PSNativeCommandUseErrorActionPreference");

    private static HashSet<string> Words(params string[] texts) =>
        texts.SelectMany(text => text.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
}
