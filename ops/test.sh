#!/usr/bin/env bash
# Sets up what the tests need, builds without a warning, checks the format, and runs every test. The last line says how many.
#
#   ops/test.sh             all
#   ops/test.sh Domain Zfs  only these test projects (tests/ZfsHaEvents.NAME.Tests)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

need_dotnet
need_postgresql
cd "$root"
[ $# -gt 0 ] || set -- Domain Zfs Simulator Store Server Cli EndToEnd
for name in "$@"; do
    [ -d "tests/ZfsHaEvents.$name.Tests" ] || fail "There is no tests/ZfsHaEvents.$name.Tests; there are: $(ls tests)"
done

echo "== build"
dotnet restore --locked-mode --verbosity quiet
dotnet build --no-restore --verbosity quiet --nologo
echo "== format"
dotnet format --verify-no-changes --no-restore

passed=0 failed=0 skipped=0 broken=0
for name in "$@"; do
    echo "== $name"
    log=$(mktemp)
    code=0
    # Not through a pipe: a process that a failed test left behind would keep it open for ever. Interrupts are as a terminal has them, also
    # where whoever runs this ignores them.
    tail --lines=+1 --follow "$log" &
    shown=$!
    env --default-signal=INT,QUIT "tests/ZfsHaEvents.$name.Tests/bin/Debug/net10.0/ZfsHaEvents.$name.Tests" -noColor >"$log" 2>&1 || code=$?
    sleep 1.5 # tail looks once a second.
    kill "$shown" && wait "$shown" 2>/dev/null || true
    # The runner's own count; a runner that counts nothing has not run.
    total=$(sed -n 's/.* Total: \([0-9]*\), Errors.*/\1/p' "$log" | tail -1)
    errors=$(sed -n 's/.* Errors: \([0-9]*\),.*/\1/p' "$log" | tail -1)
    fails=$(sed -n 's/.* Failed: \([0-9]*\),.*/\1/p' "$log" | tail -1)
    skips=$(sed -n 's/.* Skipped: \([0-9]*\),.*/\1/p' "$log" | tail -1)
    rm -f "$log"
    if [ -z "$total" ] || [ "$total" -eq 0 ]; then
        echo "No test of $name was run." >&2
        broken=$((broken + 1))
        continue
    fi
    passed=$((passed + total - errors - fails - skips)) failed=$((failed + errors + fails)) skipped=$((skipped + skips))
    if [ "$code" -ne 0 ] && [ "$((errors + fails))" -eq 0 ]; then
        echo "The runner of $name ended with exit code $code." >&2
        broken=$((broken + 1))
    fi
done

failed=$((failed + broken))
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
