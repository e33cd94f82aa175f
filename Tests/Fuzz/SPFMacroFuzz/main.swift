internal import Driver

unsafe runFuzzer(fuzzMacros)
