internal import Driver

unsafe runFuzzer(fuzzRecord)
