public import MailSyntax

extension DMARCRecord {
    /// Reads the text of a TXT record; nil when it is not a DMARC Policy Record.
    ///
    /// RFC 9989 § 4.8: after the version, every error is ignored or replaced by a default.
    public init?(_ text: Octets) {
        guard var rest = Self.afterVersion(text) else { return nil }
        var seen = [Octets]()
        while !rest.isEmpty, seen.count < TagList.maximumTags {
            let tag = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(tag.count + 1)
            guard let equals = tag.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = tag[..<equals].trimmingWSP
            let value = tag[(equals + 1)...].trimmingWSP
            // RFC 9989 § 4.8: dmarc-value = %x20-3A / %x3C-7E
            guard !value.isEmpty, value.allSatisfy({ (0x20...0x7E).contains($0) }) else { continue }
            // The grammar says nothing about a duplicate tag; RFC 6376 § 3.2 forbids it. The first one counts.
            guard !seen.contains(where: { $0.equalsIgnoringCase(name) }) else { continue }
            seen.append(name)
            read(name, value)
        }
    }

    /// The text after the version tag: `"v" *WSP "=" *WSP %s"DMARC1"`, which must come first.
    private static func afterVersion(_ text: Octets) -> Octets? {
        guard let first = text.first, first.lowercased == UInt8(ascii: "v") else { return nil }
        var rest = text.dropFirst().drop { $0.isWSP }
        guard rest.first == UInt8(ascii: "=") else { return nil }
        rest = rest.dropFirst().drop { $0.isWSP }
        // RFC 9989 § 4.7: the value is case sensitive.
        guard rest.starts(with: "DMARC1".utf8) else { return nil }
        rest = rest.dropFirst(6).drop { $0.isWSP }
        return rest.isEmpty || rest.first == UInt8(ascii: ";") ? rest.dropFirst() : nil
    }

    /// Reads one tag.
    ///
    /// Names are compared without regard to case, as ABNF strings are (RFC 5234 § 2.3), and so are values.
    private mutating func read(_ name: Octets, _ value: Octets) {
        if name.equalsIgnoringCase("p") {
            policy = readPolicy(value)
        } else if name.equalsIgnoringCase("sp") {
            subdomainPolicy = readPolicy(value)
        } else if name.equalsIgnoringCase("np") {
            nonexistentSubdomainPolicy = readPolicy(value)
        } else if name.equalsIgnoringCase("adkim") {
            dkimAlignment = value.equalsIgnoringCase("s") ? .strict : .relaxed
        } else if name.equalsIgnoringCase("aspf") {
            spfAlignment = value.equalsIgnoringCase("s") ? .strict : .relaxed
        } else if name.equalsIgnoringCase("psd") {
            publicSuffixFlag = value.equalsIgnoringCase("y") ? .yes : value.equalsIgnoringCase("n") ? .no : .unknown
        } else if name.equalsIgnoringCase("t") {
            isTesting = value.equalsIgnoringCase("y")
        } else if name.equalsIgnoringCase("fo") {
            readFailureOptions(value)
        } else if name.equalsIgnoringCase("rua") {
            reporting = reporting.with(aggregateURIs: Self.uris(value))
        } else if name.equalsIgnoringCase("ruf") {
            reporting = reporting.with(failureURIs: Self.uris(value))
        }
    }

    private mutating func readPolicy(_ value: Octets) -> DMARCPolicy? {
        if value.equalsIgnoringCase("none") { return DMARCPolicy.none }
        if value.equalsIgnoringCase("quarantine") { return .quarantine }
        if value.equalsIgnoringCase("reject") { return .reject }
        hasInvalidPolicy = true
        return nil
    }

    private mutating func readFailureOptions(_ value: Octets) {
        let options = value.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(\.trimmingWSP)
        let known = options.compactMap { $0.count == 1 ? $0.first?.lowercased : nil }.filter {
            "01ds".utf8.contains($0)
        }
        if known.count == options.count { reporting = reporting.with(failureOptions: known) }
    }

    /// dmarc-urilist, without the members that are not URIs.
    private static func uris(_ value: Octets) -> [Octets] {
        value.split(separator: UInt8(ascii: ",")).map(\.trimmingWSP).filter { uri in
            // RFC 3986 § 3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
            let scheme = uri.prefix {
                $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: ".")
            }
            let rest = uri[scheme.endIndex...]
            return scheme.first?.isAlpha == true && rest.first == UInt8(ascii: ":") && rest.count > 1
                && uri.allSatisfy(\.isVChar)
        }
    }
}

extension ArraySlice<UInt8> {
    /// The octets without spaces and tabs at the ends.
    fileprivate var trimmingWSP: Octets {
        let start = drop { $0.isWSP }
        let end = start.lastIndex { !$0.isWSP }
        return end.map { start[...$0] } ?? []
    }
}
