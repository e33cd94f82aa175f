internal import DMARC
internal import MailSyntax

/// The pieces of a report as XML (RFC 9990 § 3.1.1): an opening, a piece for each row, and a closing.
public struct ReportDocument: Sendable {
    private let identity: ReportIdentity
    private let errors: [String]
    private let generator: String

    /// The document of a report.
    ///
    /// - Parameters:
    ///   - identity: which report it is.
    ///   - errors: what else the owner should know, beside what is wrong with the record.
    ///   - generator: the name and the version of this program.
    public init(_ identity: ReportIdentity, errors: [String] = [], generator: String) {
        self.identity = identity
        self.errors = errors
        self.generator = generator
    }

    /// What stands before the rows.
    public var opening: [UInt8] {
        var text = XMLText()
        text.markup(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n"
        )
        // RFC 9990 § 3.1.1.2: "MUST have the value 1.0."
        text.element("version", "1.0")
        text.element("report_metadata", addMetadata)
        text.element("policy_published", addPolicy)
        return text.octets
    }

    /// What stands after the rows.
    public static let closing = [UInt8]("</feedback>\n".utf8)

    // RFC 9990 § 3.1.1.3
    private func addMetadata(_ text: inout XMLText) {
        text.element("org_name", identity.organization)
        text.element("email", identity.address)
        text.element("report_id", identity.id)
        text.element("date_range") { range in
            range.element("begin", String(identity.begin))
            range.element("end", String(identity.end))
        }
        let errors = [identity.policy.problem].compactMap { $0 } + errors
        if !errors.isEmpty {
            text.element("error", errors.joined(separator: "; "), most: ReportBounds.errorCharacters)
        }
        text.element("generator", generator)
    }

    // RFC 9990 § 3.1.1.5
    private func addPolicy(_ text: inout XMLText) {
        let policy = identity.policy
        text.element("domain", policy.domain.description)
        text.element("discovery_method", policy.discoveryMethod.rawValue)
        text.element("p", policy.policy.rawValue)
        // § 3.1.1.5: "Unspecified tags have their default values": sp is that of p, np that of sp (RFC 9989 § 4.7).
        let subdomainPolicy = policy.subdomainPolicy ?? policy.policy
        text.element("sp", subdomainPolicy.rawValue)
        text.element("np", (policy.nonexistentSubdomainPolicy ?? subdomainPolicy).rawValue)
        text.element("fo", policy.failureOptions)
        text.element("adkim", policy.dkimAlignment == .strict ? "s" : "r")
        text.element("aspf", policy.spfAlignment == .strict ? "s" : "r")
        text.element("testing", policy.isTesting ? "y" : "n")
    }
}

// MARK: Rows

extension ReportDocument {
    /// A row (RFC 9990 § 3.1.1.7).
    ///
    /// - Parameters:
    ///   - record: the row.
    ///   - count: how many messages it stands for.
    /// - Returns: its XML.
    public static func row(_ record: ReportRecord, count: Int) -> [UInt8] {
        var text = XMLText()
        text.element("record") { text in
            text.element("row") { row in
                row.element("source_ip", record.source.description)
                row.element("count", String(count))
                row.element("policy_evaluated") { add(record, evaluated: &$0) }
            }
            text.element("identifiers") { identifiers in
                identifiers.element("header_from", record.headerFrom, most: ReportBounds.nameCharacters)
                identifiers.element("envelope_from", record.envelopeFrom, most: ReportBounds.nameCharacters)
            }
            text.element("auth_results") { add(record, results: &$0) }
        }
        return text.octets
    }

    // RFC 9990 § 3.1.1.9
    private static func add(_ record: ReportRecord, evaluated text: inout XMLText) {
        text.element("disposition", record.disposition.rawValue)
        text.element("dkim", record.isDKIMAligned ? "pass" : "fail")
        text.element("spf", record.isSPFAligned ? "pass" : "fail")
        for reason in record.reasons {
            text.element("reason") { element in
                element.element("type", reason.kind.rawValue)
                element.element("comment", reason.comment, most: ReportBounds.humanCharacters)
            }
        }
    }

    // RFC 9990 §§ 3.1.1.11 to 3.1.1.13
    private static func add(_ record: ReportRecord, results text: inout XMLText) {
        for signature in record.signatures.prefix(ReportBounds.signatures) {
            text.element("dkim") { dkim in
                dkim.element("domain", signature.domain, most: ReportBounds.nameCharacters)
                dkim.element("selector", signature.selector, most: ReportBounds.nameCharacters)
                dkim.element("result", signature.result.rawValue)
                dkim.element("human_result", signature.humanResult, most: ReportBounds.humanCharacters)
            }
        }
        guard let spf = record.spf else { return }
        text.element("spf") { element in
            element.element("domain", spf.domain, most: ReportBounds.nameCharacters)
            element.element("scope", "mfrom")
            element.element("result", spf.result.rawValue)
            element.element("human_result", spf.humanResult, most: ReportBounds.humanCharacters)
        }
    }
}
