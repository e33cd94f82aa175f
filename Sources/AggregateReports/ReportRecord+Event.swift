internal import DMARC
internal import MailEvents
internal import MailSyntax

extension ReportRecord {
    /// The row of an event; nil where it does not count.
    ///
    /// What counts is mail of others that was judged to its end: no mail of our own, no recipients refused before DATA,
    /// when there is no author yet, and nothing that is put off, because it comes again. The record of the policy must be
    /// known, and whether it is the one for names that do not exist.
    init?(_ event: MailEvent, _ policy: PolicyConfiguration) {
        guard event.direction == .inbound, !event.client.trusted, !event.client.authenticated,
            event.verdict.stage != "rcpt", event.verdict.action != "tempfail",
            let dmarc = event.dmarc, let result = DMARCResult(rawValue: dmarc.result), result.isReported(dmarc),
            let source = event.client.ip.flatMap({ IPAddress($0) }),
            let author = dmarc.from ?? event.author?.domains.first
        else { return nil }
        let disposition = ReportDisposition(event.verdict, dmarc)
        self.init(
            source: source,
            disposition: disposition,
            isDKIMAligned: dmarc.aligned.contains(DMARCMechanism.dkim.rawValue),
            isSPFAligned: dmarc.aligned.contains(DMARCMechanism.spf.rawValue),
            reasons: ReportReason.reasons(event.verdict, dmarc, policy, disposition),
            headerFrom: author.reportedName,
            envelopeFrom: event.senderDomain,
            signatures: event.reportedSignatures,
            spf: event.reportedSPF
        )
    }
}

extension DMARCResult {
    /// Whether a result is one of a record that was found: a temporary error may be one of SPF or DKIM alone.
    fileprivate func isReported(_ dmarc: MailEvent.DMARC) -> Bool {
        switch self {
        case .pass, .fail: true
        case .temperror: dmarc.published != nil
        case .none, .permerror: false
        }
    }
}

// MARK: Domains

extension MailEvent {
    /// The day on which it ended, in days since 1970.
    var day: Int { Int(max(0, min(time, 1e12)) / 86_400) }

    /// The domain of MAIL FROM, empty for the null sender; nil when it has none.
    ///
    /// RFC 9990 § 3.1.1.10: it "MAY be existing but empty if the message had a null reverse-path".
    fileprivate var senderDomain: String? {
        guard !mailFrom.isEmpty else { return "" }
        let mailbox = Octets(mailFrom)
        return mailbox.separatorOfMailbox.map { mailbox[($0 + 1)...].text.reportedName }
    }

    /// SPF of MAIL FROM; RFC 7208 § 2.4: with the null sender, of HELO.
    fileprivate var reportedSPF: ReportRecord.SPF? {
        guard let spf, let result = ReportSPFResult(rawValue: spf.result) else { return nil }
        let asked = spf.domain ?? (mailFrom.isEmpty ? client.helo : senderDomain)
        guard let asked, !asked.isEmpty else { return nil }
        // No report tells who wrote (RFC 9990 § 7.2), and a macro can make names of the sender.
        let problem = spf.problem.flatMap { $0.tells(Octets(mailFrom)) ? nil : $0 }
        return ReportRecord.SPF(
            domain: asked.reportedName,
            result: result,
            humanResult: result == .pass ? nil : problem?.cleaned(ReportBounds.humanCharacters)
        )
    }

    /// Whether it may cause a report to somebody.
    func mayCauseReport(from address: String) -> Bool {
        guard !mailFrom.isEmpty, autoSubmitted != true else { return false }
        return unnamedRcptTo > 0 || rcptTo.contains { !Octets($0).equalsIgnoringCase(Octets(address)) }
    }
}

extension String {
    /// A domain with A-labels (RFC 9989 § 4.3), and what is none as it is; only as long as a name can be.
    fileprivate var reportedName: String {
        guard !utf8.isASCII, let name = try? DomainName(unicode: Octets(self)) else {
            return cleaned(ReportBounds.nameCharacters)
        }
        return name.description
    }

    /// The first characters, those that XML has not replaced by U+FFFD, so that no reader of a row sees them.
    func cleaned(_ most: Int) -> String {
        // Nearly every text is this, and stays as it is.
        if utf8.count <= most, utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return self }
        var text = UnicodeScalarView()
        for character in unicodeScalars.prefix(most) { text.append(character.inXML) }
        return String(text)
    }

    /// Whether a text about the DNS has a name with a sender's local part, or with a piece of it.
    fileprivate func tells(_ sender: Octets) -> Bool {
        guard let at = sender.separatorOfMailbox else { return false }
        let pieces = Set(sender[..<at].text.lowercased().split { !$0.isLetter && !$0.isNumber })
        let labels = lowercased().split { $0 == " " || $0 == "." || $0 == ":" }
        // One or two letters are in every name.
        return pieces.contains { piece in labels.contains { $0 == piece || (piece.count > 2 && $0.contains(piece)) } }
    }
}

// MARK: Signatures

extension MailEvent {
    /// The signatures in the order of RFC 9990 § 3.1.3.
    ///
    /// A signature without d= or s= cannot be told: both elements are required, and it says of nobody that he signed.
    fileprivate var reportedSignatures: [ReportRecord.Signature] {
        let ranked = (dkim ?? []).enumerated().map { (rank: $1.rank, place: $0, signature: $1) }
        let ordered = ranked.sorted { ($0.rank, $0.place) < ($1.rank, $1.place) }
        var room = ReportBounds.signatureOctets
        var signatures = [ReportRecord.Signature]()
        for signature in ordered.lazy.compactMap({ $0.signature.reported }) where room > 0 {
            signatures.append(signature)
            room -= signature.domain.utf8.count + signature.selector.utf8.count
            room -= signature.humanResult?.utf8.count ?? 0
        }
        return Array(signatures.prefix(ReportBounds.signatures))
    }
}

extension MailEvent.Signature {
    /// The place among the four kinds of RFC 9990 § 3.1.3.
    fileprivate var rank: Int {
        guard result == ReportDKIMResult.pass.rawValue else { return 4 }
        return aligned == "strict" ? 1 : aligned == "relaxed" ? 2 : 3
    }

    fileprivate var reported: ReportRecord.Signature? {
        guard let d, !d.isEmpty, let s, !s.isEmpty, let result = ReportDKIMResult(rawValue: result) else { return nil }
        return ReportRecord.Signature(
            domain: d.reportedName,
            selector: s.reportedName,
            result: result,
            humanResult: (problem ?? (testing ? "key in testing mode" : nil))?.cleaned(ReportBounds.humanCharacters)
        )
    }
}
