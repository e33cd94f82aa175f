internal import Driver

unsafe runFuzzer(fuzzBody)
