public import DNSLookup
public import MailSyntax

/// The outcome of one signature, and its reason.
public struct DKIMOutcome: Sendable {
    /// The result; never `.none`.
    public var result: DKIMResult
    /// The signature, if it could be read.
    public var signature: DKIMSignature?
    /// `d=` as it was written.
    public var domain: String?
    /// `s=` as it was written.
    public var selector: String?
    /// The length of the key in bits, if a key was found.
    public var keyBits: Int?
    /// Whether the key record says that its domain is testing DKIM (RFC 6376 § 3.6.1, `t=y`).
    public var testing = false
    /// Why the result is not `pass`, in at most one line.
    public var problem: String?
    /// Whether the hash of the body equals `bh=`; nil when they were not compared.
    public var isBodyIntact: Bool?
    /// Whether `b=` is the signature of the header fields and `bh=`; nil when it was not verified.
    public var isHeaderIntact: Bool?
    /// The changes that explain why hashes differ: for the header, for the body, or for both.
    public var diagnoses: [DKIMDiagnosis] = []
    /// The source of the key; nil when no key was looked up.
    public var keySource: DNSSource?
    /// The hash of the body as it arrived.
    public var bodyHash: [UInt8]?

    init(_ result: DKIMResult, problem: String? = nil) {
        self.result = result
        self.problem = problem
    }

    /// Whether every part that differs is explained by a change: undone, the signature would hold.
    public var isExplained: Bool {
        let differing = (isBodyIntact == false ? 1 : 0) + (isHeaderIntact == false ? 1 : 0)
        return differing > 0 && diagnoses.count == differing
    }

    /// `d=` as a domain name.
    public var signingDomain: DomainName? { signature?.domain }
    /// `i=`, or `@` and the domain when the tag is absent.
    public var identity: String? { signature.map { $0.identity[...].text } }
    /// The algorithm, `a=`.
    public var algorithm: String? { signature?.algorithm.rawValue }
    /// `b=` without white space; RFC 8601 § 2.7.1 puts its beginning into `header.b`.
    public var signatureOctets: Octets? { signature?.signatureText.withoutWhiteSpace }
    /// The beginning of `signatureOctets`: at least eight octets, if it has that many.
    public var signatureStart: Octets? {
        guard let start = signature?.signatureText.prefix(32).withoutWhiteSpace else { return nil }
        return start.count < 8 ? signatureOctets : start
    }
}

extension DKIMOutcome {
    /// The steps of the check.
    public var trace: [String] {
        var lines = [String]()
        if let signature {
            lines.append(
                "signature d=\(signature.domain) s=\(signature.selector) a=\(signature.algorithm.rawValue) "
                    + "c=\(signature.canonicalization)" + (signature.length.map { " l=\($0)" } ?? "")
            )
        }
        if let signature, let keySource {
            let key = keyBits.map { " key of \($0) bits" + (testing ? ", testing" : "") } ?? ""
            lines.append("\(signature.keyQuestion) from \(keySource):\(key.isEmpty ? " no usable key" : key)")
        }
        if let signature, let bodyHash {
            let hashes = [bodyHash, signature.bodyHash].map { Base64.encode($0)[...].text }
            lines.append("body hash \(hashes[0])" + (isBodyIntact == true ? " as signed" : ", signed was \(hashes[1])"))
        }
        if let isHeaderIntact { lines.append("header hash " + (isHeaderIntact ? "as signed" : "differs")) }
        for diagnosis in diagnoses { lines.append("explained by: \(diagnosis)") }
        lines.append("dkim=\(result.rawValue)" + (problem.map { " (\($0))" } ?? ""))
        return lines
    }
}
