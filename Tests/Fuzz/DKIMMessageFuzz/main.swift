internal import Driver

unsafe runFuzzer(fuzzMessage)
