internal import Glibc

let targets: KeyValuePairs<String, FuzzCallback> = unsafe [
    "ARCMessageFuzz": fuzzARCMessage,
    "AuthenticationResultsFuzz": fuzzResults,
    "BodyCanonicalizerFuzz": fuzzBody,
    "CacheSnapshotFuzz": fuzzCacheSnapshot,
    "ConfigurationFuzz": fuzzConfiguration,
    "DKIMGrammarFuzz": fuzzDKIMGrammar,
    "DKIMKeyRecordFuzz": fuzzKeyRecord,
    "DKIMMessageFuzz": fuzzDKIMMessage,
    "DMARCRecordFuzz": fuzzDMARCRecord,
    "DNSMessageFuzz": fuzzDNSMessage,
    "FromFuzz": fuzzFrom,
    "HeaderCanonicalizerFuzz": fuzzHeader,
    "MailEventFuzz": fuzzMailEvent,
    "MessageFuzz": fuzzMessage,
    "PRAFuzz": fuzzPRA,
    "ReceivedFuzz": fuzzReceived,
    "ReportOctetsFuzz": fuzzReportOctets,
    "SessionFuzz": fuzzSession,
    "SPFGrammarFuzz": fuzzSPFGrammar,
    "SPFMacroFuzz": fuzzMacros,
    "SPFRecordFuzz": fuzzSPFRecord,
    "StoredFactsFuzz": fuzzStoredFacts,
    "TagListFuzz": fuzzTagList,
]

// libFuzzer's own arguments are its own: it starts this program again with them.
guard let name = unsafe getenv("FUZZ_TARGET").map({ unsafe String(cString: $0) }) else {
    unsafe targets.forEach { unsafe print($0.key) }
    exit(0)
}
guard let target = unsafe targets.first(where: { unsafe $0.key == name }) else {
    print("FUZZ_TARGET=\(name) is no target; without it, this program names them")
    exit(64)
}
unsafe runFuzzer(target.value)
