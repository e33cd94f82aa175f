internal import Driver

unsafe runFuzzer(fuzzResults)
