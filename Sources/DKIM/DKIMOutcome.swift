public import DNSLookup
public import MailSyntax

/// What became of one signature, and why.
public struct DKIMOutcome: Sendable {
    /// The result; never `.none`.
    public var result: DKIMResult
    /// The signature, when it could be read.
    public var signature: DKIMSignature?
    /// `d=` as it was written.
    public var domain: String?
    /// `s=` as it was written.
    public var selector: String?
    /// The length of the key in bits, when one was found.
    public var keyBits: Int?
    /// Whether the key says that its domain is testing DKIM (RFC 6376 § 3.6.1, `t=y`).
    public var testing = false
    /// Why the result is not `pass`, in words; never longer than a line.
    public var problem: String?
    /// Whether the hash of the body was the one in `bh=`; nil when that was not looked at.
    public var isBodyIntact: Bool?
    /// Whether `b=` is the signature of the header fields and `bh=`; nil when that was not looked at.
    public var isHeaderIntact: Bool?
    /// What explains that a hash differs, where one change does: for the header, for the body, or for both.
    public var diagnoses: [DKIMDiagnosis] = []
    /// Where the key came from; nil when none was asked for.
    public var keySource: DNSSource?
    /// The hash of the body as it arrived.
    public var bodyHash: [UInt8]?

    init(_ result: DKIMResult, problem: String? = nil) {
        self.result = result
        self.problem = problem
    }

    /// `d=`, as a name that can be compared.
    public var signingDomain: DomainName? { signature?.domain }
    /// `i=`, or `@` and the domain where the tag is absent.
    public var identity: String? { signature.map { $0.identity[...].text } }
    /// The algorithm, `a=`.
    public var algorithm: String? { signature?.algorithm.rawValue }
    /// `b=` without white space, of which RFC 8601 § 2.7.1 wants the beginning as `header.b`.
    public var signatureOctets: Octets? { signature?.signatureText.withoutWhiteSpace }
    /// The beginning of `signatureOctets`: eight octets at least, if it has as many.
    public var signatureStart: Octets? {
        guard let start = signature?.signatureText.prefix(32).withoutWhiteSpace else { return nil }
        return start.count < 8 ? signatureOctets : start
    }
}

extension DKIMOutcome {
    /// What was done, step by step.
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
