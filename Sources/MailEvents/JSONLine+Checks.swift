internal import ARC
internal import DKIM
internal import DMARC
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

// What the checks found.

extension JSONLine {
    /// The most signatures that are written.
    private static let mostSignatures = 100
    /// The most octets of signatures that are written.
    private static let mostSignatureOctets = 256 << 10
    /// The most octets of addresses for reports that are written.
    private static let mostAddressOctets = 64 << 10

    /// Writes that no check was made.
    mutating func addNoChecks() {
        null("author")
        null("spf")
        null("spf_helo")
        null("sender_id")
        null("dkim")
        null("dmarc")
        null("arc")
        null("iprev")
        null("facts")
    }

    /// Writes the results of all checks.
    ///
    /// - Parameters:
    ///   - assessment: the results.
    ///   - excuse: why a rule on DMARC did not act.
    ///   - form: how events are written.
    mutating func add(_ assessment: MailAssessment, _ excuse: DMARCExcuse?, _ form: EventForm) {
        add(assessment.author)
        add("spf", assessment.spf, form)
        add("spf_helo", assessment.helo, form)
        add(assessment.senderID, form)
        addSignatures(assessment, form)
        addDMARC(assessment, excuse)
        add(assessment.arc)
        add(assessment.iprev)
        let signatures = assessment.countedSignatures
        object("facts") { object in
            object.add("dkim", signatures.best?.rawValue)
            object.add("dkim_aligned", signatures.aligned?.rawValue)
            object.add("sender_id_aligned", assessment.alignedSenderID?.rawValue)
            object.addMailbox("pra", assessment.purportedAddress, form)
            object.addPath(of: assessment, form)
        }
    }

    /// Writes how the message came here; what belongs to the header is null before it was read.
    private mutating func addPath(of assessment: MailAssessment, _ form: EventForm) {
        let isRead = assessment.author != nil
        if isRead {
            array("list_id", assessment.list?.domains.compactMap { form.host($0) } ?? [])
        } else {
            null("list_id")
        }
        add("list_verified", isRead ? (assessment.list?.verified ?? .no).eventWord : nil)
        add("forwarded", isRead ? assessment.forwarded.eventWord : nil)
        add("spf_open", assessment.spfOpen.eventWord)
        if let permits = assessment.permits { array("permitted_by", permits.permitting) }
    }

    private mutating func addMailbox(_ name: StaticString, _ mailbox: String?, _ form: EventForm) {
        // A text that is written as it is needs no copy.
        guard !form.hasLocalParts else { return add(name, mailbox) }
        add(name, octets: mailbox.map { form.mailbox(Octets($0)) })
    }

    private mutating func add(_ author: AuthorIdentity?) {
        guard let author else { return null("author") }
        object("author") { object in
            object.array("domains") { list in
                // Nearly always there is one, which is no array.
                if let domain = author.authorDomain { return list.element(domain) }
                for domain in author.domains { list.element(domain) }
            }
            object.add("count", author.fromCount)
            object.add("reading", author.reading.rawValue)
        }
    }

    private mutating func add(_ name: StaticString, _ outcome: SPFOutcome?, _ form: EventForm) {
        guard let outcome else { return null(name) }
        object(name) { object in
            object.add("result", outcome.result.rawValue)
            object.add("domain", form.host(outcome.domainName))
            object.add("mechanism", octets: outcome.mechanismOctets)
            object.add("explanation", form.text(outcome.explanation))
            object.add("problem", form.text(outcome.problem))
        }
    }

    private mutating func add(_ outcome: SenderIDOutcome?, _ form: EventForm) {
        guard let outcome else { return null("sender_id") }
        object("sender_id") { object in
            object.add("result", outcome.result.rawValue)
            object.addMailbox("pra", outcome.pra, form)
            object.add("header", outcome.header)
            object.add("domain", form.host(outcome.evaluation?.domainName))
            object.add("mechanism", octets: outcome.evaluation?.mechanismOctets)
            object.add("explanation", form.text(outcome.explanation))
            object.add("problem", form.text(outcome.problem))
        }
    }

    private mutating func addSignatures(_ assessment: MailAssessment, _ form: EventForm) {
        guard let signatures = assessment.dkim else { return null("dkim") }
        array("dkim") { list in
            // By index in a span, because an outcome is expensive to copy.
            let end = list.count + Self.mostSignatureOctets
            for index in signatures.indices.prefix(Self.mostSignatures) where list.count < end {
                list.object { $0.add(signatures.span[index], assessment.alignment(ofSignature: index), form) }
            }
        }
    }

    private mutating func add(
        _ outcome: DKIMOutcome,
        _ alignment: DMARCRecord.AlignmentMode?,
        _ form: EventForm
    ) {
        if let signature = outcome.signature {
            add("d", form.host(signature.domain))
            add("s", form.hasLocalParts || signature.selector.isHostName ? signature.selector : nil)
        } else {
            add("d", form.text(outcome.domain))
            add("s", form.text(outcome.selector))
        }
        add("a", outcome.algorithm)
        add("result", outcome.result.rawValue)
        add("aligned", alignment.map { $0 == .strict ? "strict" : "relaxed" })
        add("testing", outcome.testing)
        add("problem", form.text(outcome.problem))
        array("diagnosis", outcome.diagnoses.lazy.map(\.description))
    }

    private mutating func addDMARC(_ assessment: MailAssessment, _ excuse: DMARCExcuse?) {
        guard let result = assessment.dmarc?.result else { return null("dmarc") }
        // By its parts, because the outcome is expensive to copy.
        object("dmarc") { object in
            object.add("result", result.rawValue)
            object.add("from", assessment.dmarc?.fromDomain)
            object.add("domain", assessment.dmarc?.policyDomain)
            object.add("organizational", assessment.dmarc?.organizationalDomain)
            let record = assessment.dmarc?.record
            // RFC 9990 § 3.1.1.5: "the method used by the Mail Receiver to discover the DMARC Policy Record".
            object.add("method", record == nil ? nil : "treewalk")
            object.add("published", assessment.dmarc?.policy?.rawValue)
            object.add("effective", assessment.dmarc?.effectivePolicy?.rawValue)
            object.add(record)
            object.array("aligned") { list in
                for mechanism in assessment.dmarc?.aligned ?? [] { list.element(mechanism.rawValue) }
            }
            // The few lines that have it pay for it.
            if let excuse { object.add(excuse) }
            object.add("problem", assessment.dmarc?.problem?.description)
        }
    }

    private mutating func add(_ excuse: DMARCExcuse) {
        object("override") { object in
            object.add("type", excuse.kind.rawValue)
            object.add("comment", excuse.name)
        }
    }

    private mutating func add(_ record: DMARCRecord?) {
        guard let record else {
            null("tags")
            array("rua") { _ in }
            return array("ruf") { _ in }
        }
        object("tags") { tags in
            tags.add("p", record.policy?.rawValue)
            tags.add("sp", record.subdomainPolicy?.rawValue)
            tags.add("np", record.nonexistentSubdomainPolicy?.rawValue)
            tags.add("adkim", record.dkimAlignment == .strict ? "s" : "r")
            tags.add("aspf", record.spfAlignment == .strict ? "s" : "r")
            tags.add("fo", octets: record.failureOptions.joined)
            tags.add("t", record.isTesting ? "y" : "n")
            tags.add("psd", record.publicSuffixFlag == .yes ? "y" : record.publicSuffixFlag == .no ? "n" : "u")
        }
        array("rua") { $0.add(record.aggregateReportURIs) }
        array("ruf") { $0.add(record.failureReportURIs) }
    }

    private mutating func add(_ outcome: ARCOutcome?) {
        guard let outcome else { return null("arc") }
        object("arc") { object in
            object.add("result", outcome.result.rawValue)
            object.add("instances", outcome.instances)
            object.add("sealer", outcome.sealer)
            object.array("sealers", outcome.sealers)
            object.add("oldest_pass", outcome.oldestPass)
            object.add("vouches", outcome.vouchingSealer != nil)
            object.add("problem", outcome.problem?.description)
        }
    }

    private mutating func add(_ addresses: [Octets]) {
        let end = count + Self.mostAddressOctets
        for address in addresses where count < end { element(octets: address) }
    }

    private mutating func add(_ outcome: ReverseNameOutcome?) {
        guard let outcome else { return null("iprev") }
        object("iprev") { object in
            object.add("result", outcome.result.rawValue)
            object.array("names", outcome.names)
            object.array("unanswered", outcome.unansweredNames)
            object.add("problem", outcome.problem)
        }
    }
}

extension [UInt8] {
    /// The octets with a colon between each two.
    fileprivate var joined: Octets {
        count > 1 ? Octets(map { [$0] }.joined(separator: [UInt8(ascii: ":")])) : self[...]
    }
}
