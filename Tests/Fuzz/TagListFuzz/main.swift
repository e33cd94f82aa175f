internal import Driver

unsafe runFuzzer(fuzzTagList)
