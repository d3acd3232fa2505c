# What Windows PowerShell 5.1 has: the commands of its own modules and its type accelerators, as its
# reference documentation lists them; and what later versions added to cmdlets that it has, by that
# of PowerShell 7.4 to 7.6. Words; or rows of words, a colon, and words.
@{
    Cmdlets = @(
        # Microsoft.PowerShell.Core
        @'
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
'@
        # Microsoft.PowerShell.Management
        @'
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
'@
        # Microsoft.PowerShell.Utility
        @'
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
'@
        # Microsoft.PowerShell.Security, .Host and .Diagnostics, CimCmdlets
        @'
ConvertFrom-SecureString ConvertTo-SecureString Get-Acl Get-AuthenticodeSignature Get-CmsMessage
Get-Credential Get-ExecutionPolicy Get-PfxCertificate New-FileCatalog Protect-CmsMessage Set-Acl
Set-AuthenticodeSignature Set-ExecutionPolicy Test-FileCatalog Unprotect-CmsMessage Start-Transcript
Stop-Transcript Export-Counter Get-Counter Get-WinEvent Import-Counter New-WinEvent Get-CimAssociatedInstance
Get-CimClass Get-CimInstance Get-CimSession Invoke-CimMethod New-CimInstance New-CimSession
New-CimSessionOption Register-CimIndicationEvent Remove-CimInstance Remove-CimSession Set-CimInstance
'@
        # Microsoft.PowerShell.Archive, PackageManagement and PowerShellGet; functions of the session
        @'
Compress-Archive Expand-Archive Find-Package Find-PackageProvider Get-Package Get-PackageProvider
Get-PackageSource Import-PackageProvider Install-Package Install-PackageProvider Register-PackageSource
Save-Package Set-PackageSource Uninstall-Package Unregister-PackageSource Find-Command Find-DscResource
Find-Module Find-RoleCapability Find-Script Get-InstalledModule Get-InstalledScript Get-PSRepository
Install-Module Install-Script New-ScriptFileInfo Publish-Module Publish-Script Register-PSRepository
Save-Module Save-Script Set-PSRepository Test-ScriptFileInfo Uninstall-Module Uninstall-Script
Unregister-PSRepository Update-Module Update-ModuleManifest Update-Script Update-ScriptFileInfo Clear-Host
Get-Verb
'@
    )

    # Of Pester, in which the tests are written.
    TestCommands = 'Invoke-Pester New-PesterConfiguration Set-ItResult'

    Accelerators = @'
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
'@

    # Parameters that later versions gave to cmdlets of 5.1, with their aliases; * is every cmdlet. In
    # parentheses the part that may be left out: a shorter name is another parameter in 5.1, or none in
    # either.
    LaterParameters = @'
*: LP ProgressA(ction)
Add-Content Get-Content Set-Content: A(sByteStream)
Add-Type: CompilerO(ptions)
Compress-Archive Expand-Archive: Pas(sThru)
Convert-Path: F(orce)
ConvertFrom-Json: A(sHashtable) Da(teKind) Dep(th) N(oEnumerate)
ConvertFrom-SecureString: A(sPlainText)
ConvertFrom-StringData Get-Clipboard: Del(imiter)
ConvertTo-Csv Export-Csv: ITI Inc(ludeTypeInformation) NoH(eader) QF Q(uoteFields) UQ UseQ(uotes)
ConvertTo-Html: Ch(arset) M(eta) Tr(ansitional)
ConvertTo-Json: A(sArray) En(umsAsStrings) Es(capeHandling)
Debug-Job Debug-Runspace: B(reakAll)
Disable-PSBreakpoint Enable-PSBreakpoint Get-PSBreakpoint Remove-PSBreakpoint Set-PSBreakpoint: R(unspace) R(unspaceId)
Enter-PSHostProcess: C(ustomPipeName)
Enter-PSSession Invoke-Command New-PSSession: Connectin(gTimeout) Ho(stName) Ide(ntityFilePath) K(eyFilePath) Op(tions)
Enter-PSSession Invoke-Command New-PSSession: SS(HConnection) SS(HTransport) Su(bsystem) User(Name)
ForEach-Object: As(Job) Pa(rallel) T(hrottleLimit) T(imeoutSeconds) U(seNewRunspace)
Format-Hex: C(ount) Of(fset)
Format-Table: R(epeatHeader)
Get-ChildItem: Fol(lowSymlink)
Get-Command: Ex(cludeModule) Fuz(zyMinimumDistance) U(seAbbreviationExpansion) U(seFuzzyMatching)
Get-Credential: T(itle)
Get-Culture: L(istAvailable) N(ame) N(oUserOverrides)
Get-Date: A(sUTC) Un(ixTimeSeconds)
Get-Module: S(kipEditionCheck)
Get-PfxCertificate: N(oPromptForPassword) Pa(ssword)
Get-Random: Sh(uffle)
Get-Unique: C(aseInsensitive)
Get-Verb: G(roup)
Import-Module: Sk(ipEditionCheck) U(seWindowsPowerShell) U(seWinPS)
Import-PowerShellDataFile: S(kipLimitCheck)
Invoke-Command: Re(moteDebug) St(rictMode)
Invoke-RestMethod Invoke-WebRequest: A(llowInsecureRedirect) A(llowUnencryptedAuthentication) A(uthentication) CM
Invoke-RestMethod Invoke-WebRequest: Conn(ectionTimeoutSeconds) Cu(stomMethod) F(orm) Ht(tpVersion) N(oProxy) To(ken)
Invoke-RestMethod Invoke-WebRequest: MaximumRet(ryCount) Op(erationTimeoutSeconds) Pre(serveAuthorizationOnRedirect)
Invoke-RestMethod Invoke-WebRequest: Pre(serveHttpMethodOnRedirect) R(esume) R(etryIntervalSec) Sk(ipCertificateCheck)
Invoke-RestMethod Invoke-WebRequest: Sk(ipHeaderValidation) Sk(ipHttpErrorCheck) Ss(lProtocol) Un(ixSocket)
Invoke-RestMethod: FL F(ollowRelLink) MaximumF(ollowRelLink) ML R(esponseHeadersVariable) RHV St(atusCodeVariable)
Join-Path: A(dditionalChildPath) Ext(ension)
Measure-Object: Al(lStats) St(andardDeviation)
New-Guid: Em(pty) Inp(utObject)
New-ModuleManifest: Ex(ternalModuleDependencies) Pre(release) RequireL(icenseAcceptance)
New-PSSession: UseW(indowsPowerShell)
New-Service: Sec(urityDescriptorSddl)
New-TimeSpan: Mil(liseconds)
Out-File: Pa(th)
Out-String: N(oNewline)
Read-Host: M(askInput)
Register-ArgumentCompleter: NativeF(allback)
Resolve-Path: F(orce) RelativeB(asePath)
Save-Help Update-Help: Sc(ope)
Select-Object: C(aseInsensitive) SkipI(ndex)
Select-String: Cu(lture) NoE(mphasis) R(aw)
Send-MailMessage: R(eplyTo)
Set-Clipboard: AsO(SC52) Pas(sThru) T(oLocalhost)
Set-Service: Cr(edential) F(orce) Sec(urityDescriptorSddl) StartT(ype)
Sort-Object: B(ottom) S(table) T(op)
Split-Path: Ex(tension) LeafB(ase)
Start-Job: Wo(rkingDirectory)
Start-Process: Co(nfirm) En(vironment) Wh(atIf)
Start-Sleep: Du(ration)
Start-Transcript: U(seMinimalHeader)
Stop-Transcript: C(onfirm) Wh(atIf)
Tee-Object: En(coding) Pa(th)
Test-Connection: Cont(inuous) Det(ailed) Do(ntFragment) H(ops) IPv(4) IPv(6) M(axHops) M(tuSize) Pin(g) R(epeat)
Test-Connection: R(esolveDestination) Ta(rgetName) Tc(pPort) Timeo(utSeconds) Tr(aceroute)
Wait-Process: A(ny) Pa(ssThru)
Where-Object: Not
'@

    # The cmdlets behind the aliases of 5.1, where they have later parameters.
    Aliases = @'
Add-Content: ac
Convert-Path: cvpa
Disable-PSBreakpoint: dbp
Enable-PSBreakpoint: ebp
Enter-PSSession: etsn
Export-Csv: epcsv
ForEach-Object: % foreach
Format-Hex: fhx
Format-Table: ft
Get-ChildItem: dir gci ls
Get-Clipboard: gcb
Get-Command: gcm
Get-Content: cat gc type
Get-Module: gmo
Get-PSBreakpoint: gbp
Get-Unique: gu
Import-Module: ipmo
Invoke-Command: icm
Invoke-RestMethod: irm
Invoke-WebRequest: curl iwr wget
Measure-Object: measure
New-PSSession: nsn
Remove-PSBreakpoint: rbp
Resolve-Path: rvpa
Select-Object: select
Select-String: sls
Set-Clipboard: scb
Set-Content: sc
Set-PSBreakpoint: sbp
Sort-Object: sort
Start-Job: sajb
Start-Process: saps start
Start-Sleep: sleep
Tee-Object: tee
Where-Object: ? where
'@

    # Automatic variables and aliases that later versions brought.
    LaterVariables = 'IsWindows IsLinux IsMacOS IsCoreCLR PSStyle EnabledExperimentalFeatures PSNativeCommandUseErrorActionPreference'
    LaterAliases = 'gerr'

    # Values of -Encoding.
    Encodings = 'Unknown String Unicode Byte BigEndianUnicode BigEndianUTF32 UTF8 UTF7 UTF32 Ascii Default Oem'

    # Static members that .NET Framework 4.7.2 lacks, without the System. of their types; after a slash
    # the number of arguments of a method that it has with others. A choice: those that a script is
    # likely to use.
    LaterMembers = @'
Array::Fill BitConverter::ToHalf BitConverter::SingleToInt32Bits BitConverter::Int32BitsToSingle Convert::FromHexString
Convert::ToHexString Convert::ToHexStringLower DateTime::UnixEpoch DateTimeOffset::UnixEpoch Environment::IsPrivilegedProcess
Environment::ProcessId Environment::ProcessPath Environment::TickCount64 GC::GetGCMemoryInfo
GC::GetTotalAllocatedBytes GC::GetTotalPauseDuration Guid::CreateVersion7 Math::Acosh Math::Asinh Math::Atanh
Math::BitDecrement Math::BitIncrement Math::Cbrt Math::Clamp Math::CopySign Math::FusedMultiplyAdd Math::ILogB
Math::Log2 Math::MaxMagnitude Math::MinMagnitude Math::ScaleB OperatingSystem::IsLinux OperatingSystem::IsMacOS
OperatingSystem::IsWindows OperatingSystem::IsWindowsVersionAtLeast Random::Shared String::Create
ArgumentException::ThrowIfNullOrEmpty ArgumentException::ThrowIfNullOrWhiteSpace ArgumentNullException::ThrowIfNull
Diagnostics.Stopwatch::GetElapsedTime IO.Directory::CreateSymbolicLink IO.Directory::CreateTempSubdirectory
IO.Directory::ResolveLinkTarget IO.File::AppendAllBytes IO.File::AppendAllLinesAsync IO.File::AppendAllTextAsync
IO.File::CreateSymbolicLink IO.File::GetUnixFileMode IO.File::Move/3 IO.File::ReadAllBytesAsync
IO.File::ReadAllLinesAsync IO.File::ReadAllTextAsync IO.File::ReadLinesAsync IO.File::ResolveLinkTarget
IO.File::SetUnixFileMode IO.File::WriteAllBytesAsync IO.File::WriteAllLinesAsync IO.File::WriteAllTextAsync
IO.Path::EndsInDirectorySeparator IO.Path::Exists IO.Path::GetFullPath/2 IO.Path::GetRelativePath
IO.Path::IsPathFullyQualified IO.Path::Join IO.Path::TrimEndingDirectorySeparator Linq.Enumerable::Chunk
Linq.Enumerable::DistinctBy Linq.Enumerable::MaxBy Linq.Enumerable::MinBy Linq.Enumerable::Order
Linq.Enumerable::SkipLast Linq.Enumerable::TakeLast Net.IPEndPoint::Parse Net.IPEndPoint::TryParse
Runtime.InteropServices.RuntimeInformation::RuntimeIdentifier Security.Cryptography.MD5::HashData
Security.Cryptography.RandomNumberGenerator::Fill Security.Cryptography.RandomNumberGenerator::GetBytes
Security.Cryptography.RandomNumberGenerator::GetHexString Security.Cryptography.RandomNumberGenerator::GetInt32
Security.Cryptography.SHA1::HashData Security.Cryptography.SHA256::HashData Security.Cryptography.SHA384::HashData
Security.Cryptography.SHA512::HashData Text.Encoding::Latin1
'@
}
