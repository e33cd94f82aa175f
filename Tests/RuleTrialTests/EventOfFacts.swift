import MailSyntax
import Policy

@testable import MailEvents
@testable import RuleTrial

extension MailEvent {
    /// The event of a message with these facts, as the filter writes it.
    init(_ stored: StoredFacts, verdict: Verdict = Verdict(), addresses: Addresses = .full) {
        let facts = stored.facts
        let refused = Set(stored.recorded.refused.flatMap(\.recipients))
        let texts = stored.recipients.map(\.text)
        self.init(
            v: 1,
            time: 1_795_737_600,
            host: "mx",
            listener: "unix:x",
            configuration: "c",
            id: "4XyZ1",
            direction: .inbound,
            addresses: addresses,
            client: Client(
                ip: facts.client?.description,
                name: facts.clientNames?.first?.description,
                helo: facts.helo ?? "",
                trusted: facts.authenticated == true,
                authenticated: false
            ),
            mailFrom: facts.mailFrom?.text ?? "",
            rcptTo: texts.enumerated().filter { !refused.contains($0.offset) }.map(\.element),
            refusedRcptTo: texts.enumerated().filter { refused.contains($0.offset) }.map(\.element),
            unnamedRcptTo: 0,
            deferredRcptTo: [],
            verdict: verdict,
            signed: [],
            dns: DNS(lookups: 0, cached: 0, starved: 0),
            ms: 0
        )
        takeChecks(facts)
    }

    private mutating func takeChecks(_ facts: PolicyFacts) {
        spf = facts.results.spf.map { SPF(result: $0.rawValue, explanation: facts.explanation) }
        spfHelo = facts.results.spfHelo.map { SPF(result: $0.rawValue) }
        senderID = facts.results.senderID.map { word in
            SenderID(result: word.rawValue, pra: facts.pra?.text, explanation: facts.senderIDExplanation)
        }
        if let domains = facts.fromDomains, let count = facts.fromCount, let reading = facts.author {
            author = Author(domains: domains.map(\.description), count: count, reading: reading.rawValue)
        }
        arc = facts.results.arc.map { word in
            let sealers = ((facts.arcSealers ?? []) + facts.unansweredARCSealers).map(\.description)
            return ARC(
                result: word.rawValue,
                instances: sealers.count,
                sealer: sealers.last,
                sealers: sealers,
                vouches: facts.arcSealers?.isEmpty == false
            )
        }
        iprev = facts.results.iprev.map { word in
            ReverseName(
                result: word.rawValue,
                names: (facts.clientNames ?? []).map(\.description),
                unanswered: facts.unansweredClientNames.map(\.description)
            )
        }
        dkim = facts.dkimDomains.map { passed in
            passed.map { Signature($0, .pass) } + facts.unansweredDKIMDomains.map { Signature($0, .temperror) }
                + [Signature(d: "in.testing", result: "pass", testing: true, diagnosis: [])]
        }
        dmarc = facts.results.dmarc.map { word in
            DMARC(
                result: word.rawValue,
                published: facts.dmarcPublished.known,
                effective: facts.dmarcPolicy.known,
                rua: [],
                ruf: [],
                aligned: []
            )
        }
        self.facts = DerivedFacts(
            dkim: facts.results.dkim?.rawValue,
            dkimAligned: facts.dkimAligned?.rawValue,
            senderIDAligned: facts.senderIDAligned?.rawValue,
            pra: facts.pra?.text,
            listID: facts.listDomains?.map(\.description),
            listVerified: facts.listVerified.eventWord,
            forwarded: facts.forwarded.eventWord,
            spfOpen: facts.spfOpen.eventWord
        )
    }
}

extension MailEvent.Verdict {
    init() {
        self.init(
            mode: "enforce",
            action: "accept",
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
    fileprivate init(_ domain: DomainName, _ result: ResultWord) {
        self.init(d: domain.description, result: result.rawValue, testing: false, diagnosis: [])
    }
}

extension DMARCPolicyWord? {
    /// The word; nil where there is no policy, which an event does not name.
    fileprivate var known: String? { self == .absent ? nil : self?.rawValue }
}
