internal import Driver

unsafe runFuzzer(fuzzFrom)
