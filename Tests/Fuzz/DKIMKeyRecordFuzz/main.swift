internal import Driver

unsafe runFuzzer(fuzzKeyRecord)
