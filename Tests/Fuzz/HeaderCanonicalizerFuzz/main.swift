internal import Driver

unsafe runFuzzer(fuzzHeader)
