#!/usr/bin/env bash
# Checks the package from outside: the same bytes from another folder, and that NuGet and a plain
# unzip take it. run.sh PACKAGE.nupkg SOURCE_DATE_EPOCH. Last line: the sum.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
package=$1
epoch=$2
archive=${package%.nupkg}.zip
version=$(basename "${package%.nupkg}" | cut -d . -f 2-)
passed=0
failed=0
skipped=0

ok() {
    passed=$((passed + 1))
    echo "ok $1"
}

not_ok() {
    failed=$((failed + 1))
    echo "not ok $1 $2"
}

# A folder with another name, another depth and a space in it, with the sources alone; what was built
# there before stays, so that a second run does no work twice. PowerShell only runs the build: it is
# not restored again.
again="$PWD/target/package/another folder"
mkdir -p "$again/target"
find "$again" -mindepth 1 -maxdepth 1 ! -name target ! -name out -exec rm -rf {} +
for entry in * .[!.]*; do
    case $entry in
    target | out | .git) ;;
    *) cp -Rp "$entry" "$again/" ;;
    esac
done
[[ ! -d target/pwsh ]] || ln -sfn "$PWD/target/pwsh" "$again/target/pwsh"
if ! SOURCE_DATE_EPOCH=$epoch "$again/build.sh" pack >target/package/again.log 2>&1; then
    tail -n 20 target/package/again.log
    not_ok a_second_build "does not work in another folder"
fi
for made in "$package" "$archive" "${package%.nupkg}.sha256"; do
    name=another_folder_gives_the_same_${made##*.}
    if cmp -s "$made" "$again/out/$(basename "$made")"; then
        ok "$name"
    else
        not_ok "$name" "differs from $again/out"
    fi
done

if (cd out && sha256sum --check --quiet "RustRunspaces.$version.sha256"); then
    ok the_sums_are_right
else
    not_ok the_sums_are_right "see above"
fi

# A folder is a repository: NuGet finds the package there by name and version, and unpacks it.
feed=$PWD/target/package/feed
rm -rf "$feed" target/package/installed
mkdir -p "$feed" target/package/project
cp "$package" "$feed/"
cat >target/package/project/install.csproj <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
    <RestoreSources>$feed</RestoreSources>
    <RestorePackagesPath>$PWD/target/package/installed</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="RustRunspaces" Version="[$version]" />
  </ItemGroup>
</Project>
END
installed=target/package/installed/rustrunspaces/$version
if ! dotnet restore target/package/project/install.csproj >target/package/restore.log 2>&1; then
    tail -n 20 target/package/restore.log
    not_ok nuget_installs_it "the restore fails"
elif diff -r -x '*.nuspec' -x '*.nupkg*' out/test/RustRunspaces "$installed"; then
    ok nuget_installs_it
else
    not_ok nuget_installs_it "differs from what was unpacked"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
