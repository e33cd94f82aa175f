#!/bin/sh
# Builds the fuzz targets and lets libFuzzer run one of them, or each in turn: run.sh TARGET|all [TIME [OPTION...]]
# TIME is like 5s, 10m, 1h (60s). What is learnt goes into .build-fuzz/corpus/TARGET; Seeds/TARGET is where it begins. A
# finding is an exit status other than 0, and the input is in .build-fuzz/findings: run.sh TARGET 1s FILE repeats it.
set -eu
cd "$(dirname "$0")"

usage() {
    echo "Usage: $0 TARGET|all [TIME [OPTION...]]" >&2
    exit 64
}

[ $# -gt 0 ] || usage
target=$1
time=${2:-60s}
shift
[ $# -eq 0 ] || shift
number=${time%[smh]}
case "$number" in '' | *[!0-9]*) usage ;; esac
case "$time" in
*h) seconds=$((number * 3600)) ;;
*m) seconds=$((number * 60)) ;;
*) seconds=$number ;;
esac

# The versions of libraries that the project itself is built with.
cp ../../Package.resolved .
swift build -c release --product fuzz -j 2 --scratch-path .build-fuzz >&2
program=.build-fuzz/release/fuzz
# A backtrace after a crash can hang the fuzzer for minutes.
export SWIFT_BACKTRACE=enable=no

run() {
    name=$1
    shift
    mkdir -p ".build-fuzz/corpus/$name" .build-fuzz/findings "Seeds/$name"
    leaks=1
    # The filter keeps what became of the last messages. Swift keeps bits of its own in some pointers to it, which are then
    # taken for lost. What is never given back makes the memory grow, beyond the limit in time.
    [ "$name" != SessionFuzz ] || leaks=0
    FUZZ_TARGET=$name ASAN_OPTIONS=detect_leaks=$leaks "$program" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=".build-fuzz/findings/$name-" "$@" \
        ".build-fuzz/corpus/$name" "Seeds/$name"
}

if [ "$target" != all ]; then
    run "$target" "$@"
    exit
fi

log=.build-fuzz/log
failed=
for name in $("$program"); do
    if run "$name" "$@" >"$log" 2>&1; then
        executions=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
        printf '%-24s %8s/s  %s\n' "$name" "$executions" "$(sed -n 's/^outcomes: //p' "$log" | cut -c 1-100)"
    else
        printf '%-24s FINDING\n' "$name"
        tail -n 40 "$log"
        failed=yes
    fi
done
[ -z "$failed" ]
