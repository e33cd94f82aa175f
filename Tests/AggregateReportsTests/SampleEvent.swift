import DMARC
import MailSyntax
import Testing

@testable import AggregateReports
@testable import MailEvents

extension MailEvent {
    /// A message of an honest sender that passed, with a record that asks for reports.
    static func sample(_ change: (inout MailEvent) -> Void = { _ in }) -> MailEvent {
        var event = MailEvent(
            v: 1,
            time: 1_795_737_600.5,
            host: "mx",
            listener: "inet:8891",
            configuration: "c",
            direction: .inbound,
            addresses: .full,
            client: Client(ip: "192.0.2.1", helo: "mail.example.com", trusted: false, authenticated: false),
            mailFrom: "a@example.com",
            rcptTo: ["b@example.net"],
            refusedRcptTo: [],
            unnamedRcptTo: 0,
            deferredRcptTo: [],
            author: Author(domains: ["example.com"], count: 1, reading: "readable"),
            spf: SPF(result: "pass", domain: "example.com"),
            dkim: [.passing("example.com", "2026r", aligned: "strict")],
            dmarc: .sample(),
            verdict: Verdict(action: "accept"),
            signed: [],
            dns: DNS(lookups: 3, cached: 1, starved: 0),
            ms: 1
        )
        change(&event)
        return event
    }

    /// What such a message says.
    static func observed(_ change: (inout MailEvent) -> Void = { _ in }) throws -> ObservedMessage {
        let observed = sample(change).observed
        return try #require(observed)
    }

    /// The row of such a message.
    static func record(_ change: (inout MailEvent) -> Void = { _ in }) throws -> ReportRecord {
        try observed(change).record
    }

    /// The message failed, and the rule of this name did that.
    mutating func fail(_ action: String, rule: String? = "dmarc-fail") {
        dmarc?.result = "fail"
        dmarc?.aligned = []
        verdict.action = action
        verdict.rule = rule
    }

    /// The record has this policy, which applies.
    mutating func publish(_ policy: String, effective: String? = nil) {
        dmarc?.tags?.p = policy
        dmarc?.published = policy
        dmarc?.effective = effective ?? policy
        dmarc?.tags?.t = effective == nil ? "n" : "y"
    }

    var observed: ObservedMessage? { ObservedMessage(self, reportAddress: "reports@example.org") }
}

extension MailEvent.DMARC {
    static func sample() -> MailEvent.DMARC {
        MailEvent.DMARC(
            result: "pass",
            from: "example.com",
            domain: "example.com",
            organizational: "example.com",
            method: "treewalk",
            published: "reject",
            effective: "reject",
            tags: Tags(p: "reject", adkim: "r", aspf: "r", fo: "0", t: "n", psd: "u"),
            rua: ["mailto:reports@example.com"],
            ruf: [],
            aligned: ["dkim", "spf"]
        )
    }
}

extension MailEvent.Verdict {
    init(action: String) {
        self.init(
            mode: "enforce",
            action: action,
            stage: "eom",
            marks: [],
            exempted: [],
            trial: [],
            undecided: [],
            refused: [],
            removed: 0
        )
    }
}

extension MailEvent.Signature {
    static func passing(_ d: String?, _ s: String?, aligned: String? = nil) -> MailEvent.Signature {
        MailEvent.Signature(
            d: d,
            s: s,
            a: "rsa-sha256",
            result: "pass",
            aligned: aligned,
            testing: false,
            diagnosis: []
        )
    }

    static func failing(_ d: String?, _ s: String?, _ problem: String? = "body hash differs") -> MailEvent.Signature {
        MailEvent.Signature(d: d, s: s, result: "fail", testing: false, problem: problem, diagnosis: [])
    }
}

extension PolicyConfiguration {
    static func sample(_ change: (inout PolicyConfiguration) -> Void = { _ in }) throws -> PolicyConfiguration {
        var policy = PolicyConfiguration(domain: try DomainName("example.com"))
        policy.policy = .reject
        policy.destinations = [ReportDestination("mailto:reports@example.com")].compactMap(\.self)
        change(&policy)
        return policy
    }
}
