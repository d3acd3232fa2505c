#!/bin/sh
# Builds the native layer as a .NET Framework program and runs it under Mono: run.sh MODULE, the
# folder of a built module. Last line: the sum.
set -u
cd "$(dirname "$0")/../.." || exit 1
module=${1:-out/RustRunspaces}
build=$PWD/target/mono

if ! command -v mono >/dev/null 2>&1; then
    echo "skip mono there is no mono on this machine"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
if ! dotnet build tests/mono/NativeUnderMono.csproj -c Release -o "$build" --nologo -nodeReuse:false \
    >"$build.log" 2>&1; then
    tail -n 20 "$build.log"
    echo "not ok mono the program does not build"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
# The module's library, beside this assembly as it is beside the module's.
rm -rf "$build/native"
cp -R "$module/native" "$build/native" || exit 1
exec mono "$build/NativeUnderMono.exe" "$module"
