#!/bin/sh
# Builds a fuzz target and lets libFuzzer run it: run.sh TARGET [SECONDS [OPTION...]]
# What it learns goes into .build-fuzz/corpus/TARGET; Seeds/TARGET is where it begins. A finding is an exit status
# other than 0, and the input is in .build-fuzz/findings.
set -eu
target=$1
seconds=${2:-60}
shift; [ $# -gt 0 ] && shift
cd "$(dirname "$0")"
swift build -c release --product "$target" -j 2 --scratch-path .build-fuzz \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld
mkdir -p ".build-fuzz/corpus/$target" .build-fuzz/findings "Seeds/$target"
# A backtrace after a crash can hang the fuzzer for minutes.
export SWIFT_BACKTRACE=enable=no
exec ".build-fuzz/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix=".build-fuzz/findings/$target-" "$@" ".build-fuzz/corpus/$target" "Seeds/$target"
