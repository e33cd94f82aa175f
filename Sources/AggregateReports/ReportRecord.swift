public import MailSyntax

/// A row of a report without its count: messages with equal rows are counted together (RFC 9990 § 3.1.1.7).
public struct ReportRecord: Hashable, Sendable {
    /// The result of one DKIM signature (RFC 9990 § 3.1.1.12).
    public struct Signature: Hashable, Sendable {
        /// `d=`.
        public var domain: String
        /// `s=`.
        public var selector: String
        /// The result.
        public var result: ReportDKIMResult
        /// What is wrong, in words.
        public var humanResult: String?

        /// A result.
        ///
        /// - Parameters:
        ///   - domain: `d=`.
        ///   - selector: `s=`.
        ///   - result: the result.
        ///   - humanResult: what is wrong, in words.
        public init(domain: String, selector: String, result: ReportDKIMResult, humanResult: String? = nil) {
            self.domain = domain
            self.selector = selector
            self.result = result
            self.humanResult = humanResult
        }
    }

    /// The result of SPF for MAIL FROM (RFC 9990 § 3.1.1.13).
    public struct SPF: Hashable, Sendable {
        /// The domain that was asked: with the null sender, that of HELO (RFC 7208 § 2.4).
        public var domain: String
        /// The result.
        public var result: ReportSPFResult
        /// What is wrong, in words.
        public var humanResult: String?

        /// A result.
        ///
        /// - Parameters:
        ///   - domain: the domain that was asked.
        ///   - result: the result.
        ///   - humanResult: what is wrong, in words.
        public init(domain: String, result: ReportSPFResult, humanResult: String? = nil) {
            self.domain = domain
            self.result = result
            self.humanResult = humanResult
        }
    }

    /// The client's address.
    public var source: IPAddress
    /// What became of the message.
    public var disposition: ReportDisposition
    /// Whether a signature that passed is aligned with the author.
    public var isDKIMAligned: Bool
    /// Whether MAIL FROM passed SPF and is aligned with the author.
    public var isSPFAligned: Bool
    /// Why the disposition is not what the policy asks for.
    public var reasons: [ReportReason]
    /// The author's domain.
    public var headerFrom: String
    /// The domain of MAIL FROM, empty for the null sender; nil when it has none.
    public var envelopeFrom: String?
    /// The DKIM results, in the order of RFC 9990 § 3.1.3.
    public var signatures: [Signature]
    /// The SPF result; nil when it was not checked.
    public var spf: SPF?

    /// A row.
    ///
    /// - Parameters:
    ///   - source: the client's address.
    ///   - disposition: what became of the message.
    ///   - isDKIMAligned: whether a signature that passed is aligned with the author.
    ///   - isSPFAligned: whether MAIL FROM passed SPF and is aligned with the author.
    ///   - reasons: why the disposition is not what the policy asks for.
    ///   - headerFrom: the author's domain.
    ///   - envelopeFrom: the domain of MAIL FROM, empty for the null sender; nil when it has none.
    ///   - signatures: the DKIM results.
    ///   - spf: the SPF result.
    public init(
        source: IPAddress,
        disposition: ReportDisposition,
        isDKIMAligned: Bool,
        isSPFAligned: Bool,
        reasons: [ReportReason] = [],
        headerFrom: String,
        envelopeFrom: String? = nil,
        signatures: [Signature] = [],
        spf: SPF? = nil
    ) {
        self.source = source
        self.disposition = disposition
        self.isDKIMAligned = isDKIMAligned
        self.isSPFAligned = isSPFAligned
        self.reasons = reasons
        self.headerFrom = headerFrom
        self.envelopeFrom = envelopeFrom
        self.signatures = signatures
        self.spf = spf
    }
}

extension ReportRecord {
    /// The row without what a sender can invent at no cost: DKIM results and texts for people.
    ///
    /// It stands for a message that would make one row more than a report holds.
    public var folded: ReportRecord {
        var record = self
        record.signatures = []
        record.spf?.humanResult = nil
        record.reasons = reasons.map { ReportReason($0.kind) }
        return record
    }

    /// The row with nothing but the outcome, for a message that would make one row too many even when it is folded.
    ///
    /// There are few such rows, whatever is sent: the source is 0.0.0.0, and the author is the policy's domain.
    ///
    /// - Parameter policy: the policy that the message was judged by.
    /// - Returns: the row.
    public func rest(of policy: PolicyConfiguration) -> ReportRecord {
        let domain = policy.domain.description
        return ReportRecord(
            source: .v4(IPv4Address(0)),
            disposition: disposition,
            isDKIMAligned: isDKIMAligned,
            isSPFAligned: isSPFAligned,
            reasons: reasons.map { ReportReason($0.kind) },
            headerFrom: domain
        )
    }
}
