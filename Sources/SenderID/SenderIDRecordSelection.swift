internal import DNSLookup
internal import MailSyntax
internal import SPF

/// Chooses a domain's record for one scope (RFC 4406 § 4.4).
///
/// RFC 4406 also uses the record type SPF (99), which RFC 7208 § 3.1 abandoned; only TXT is looked up.
struct SenderIDRecordSelection: SPFRecordSelecting {
    /// The value that an answer keeps.
    private struct Policies: Sendable {
        let pra: SPFRecordSelection
        let mfrom: SPFRecordSelection
    }

    /// Either `pra` or `mfrom`.
    let scope: SPFScope

    func select(_ answer: DNSAnswer) -> SPFRecordSelection {
        let policies = answer.derived { answer in
            let texts = answer.texts
            let (pra, mfrom) = (Self.candidates("pra", texts), Self.candidates("mfrom", texts))
            let selection = Self.select(pra)
            // Most records serve both scopes, and reading one takes time.
            return Policies(pra: selection, mfrom: pra == mfrom ? selection : Self.select(mfrom))
        }
        return scope == .pra ? policies.pra : policies.mfrom
    }

    private static func candidates(_ scope: StaticString, _ texts: [[UInt8]]) -> [[UInt8]] {
        // § 4.4 step 3: records without the wanted scope are discarded.
        let version2 = texts.filter { SenderIDVersion(of: $0[...])?.contains(scope) ?? false }
        // Step 4: "spf2" takes precedence. Without an "spf2" record that has the scope (§ 3.4), "v=spf1" counts.
        return version2.isEmpty ? texts.filter { SPFRecord.hasVersion1($0[...]) } : version2
    }

    private static func select(_ candidates: [[UInt8]]) -> SPFRecordSelection {
        SPFRecordSelection(candidates) { text throws(SPFRecord.SyntaxError) in
            guard let version = SenderIDVersion(of: text) else { return try SPFRecord(parsing: text) }
            return try SPFRecord(text: text, terms: text.dropFirst(version.length))
        }
    }
}

/// The beginning of an `spf2.` record: `"spf2." ver-minor scope` (RFC 4406 § 3.1).
struct SenderIDVersion {
    /// The minor version as it was written.
    let minor: Octets
    /// The scopes: `"/" scope-id *( "," scope-id )`.
    private let scopes: [Octets]
    /// The length of the version and scope sections in octets.
    let length: Int

    /// Reads the sections; nil for any other text (RFC 4406 § 4.4 step 2: such records are discarded).
    init?(of text: Octets) {
        guard text.prefix(5).equalsIgnoringCase("spf2.") else { return nil }
        let section = text.prefix { $0 != .space }
        minor = section.dropFirst(5).prefix { $0.isDigit }
        let list = section[minor.endIndex...]
        // § 4.4 step 2: the minor version "must be well formed for a record to be retained, but is otherwise ignored".
        guard !minor.isEmpty, list.first == UInt8(ascii: "/") else { return nil }
        scopes = list.dropFirst().split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard scopes.allSatisfy(Self.isScope) else { return nil }
        length = section.count
    }

    /// § 4.4 step 3: the comparison is "a complete string match on the scope tokens".
    func contains(_ scope: StaticString) -> Bool {
        scopes.contains { $0.equalsIgnoringCase(scope) }
    }

    /// Whether the text is a scope-id: a name in the sense of RFC 7208 § 12.
    private static func isScope(_ text: Octets) -> Bool {
        (text.first?.isAlpha ?? false)
            && text.allSatisfy { $0.isAlpha || $0.isDigit || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
    }
}
