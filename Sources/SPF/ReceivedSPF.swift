public import MailSyntax

/// Writes the Received-SPF header field (RFC 7208 § 9.1).
public enum ReceivedSPF {
    /// The body of the field for an outcome: one space, then folds of LF and TAB, as MTAs expect from a filter.
    ///
    /// No client data can leave its quotes. An address or a name is written unchanged, with A-labels unless the message
    /// is internationalized. Otherwise its pair is left out: a changed address would be another one.
    ///
    /// - Parameters:
    ///   - outcome: the outcome of the check.
    ///   - receiver: the name of the host that checked.
    ///   - clientAddress: the client's address.
    ///   - envelopeFrom: the argument of MAIL FROM.
    ///   - helo: the argument of HELO or EHLO.
    ///   - isInternationalized: whether the message itself has UTF-8, so that this field may have it too.
    public static func fieldBody(
        for outcome: SPFOutcome,
        receiver: Octets,
        clientAddress: IPAddress,
        envelopeFrom: Octets,
        helo: Octets,
        isInternationalized: Bool = false
    ) -> [UInt8] {
        func address(_ text: Octets) -> [UInt8]? {
            guard let text = isInternationalized ? text : FieldText.ascii(text), text.count <= maximumValueLength,
                FieldText.isPrintable(text)
            else { return nil }
            return value(text)
        }
        var pairs: [(key: String, value: [UInt8]?)] = [
            ("receiver", address(receiver)),
            ("client-ip", value(Octets(clientAddress.unmapped.description))),
            ("envelope-from", address(envelopeFrom)),
            ("helo", address(helo)),
            // RFC 7208 § 9.1: the identity that was checked, "mailfrom" or "helo".
            ("identity", Array((outcome.scope == .helo ? "helo" : "mailfrom").utf8)),
        ]
        if let mechanism = outcome.mechanism { pairs.append(("mechanism", text(mechanism))) }
        if let problem = outcome.problem { pairs.append(("problem", text(problem))) }
        var body = Array("\(outcome.result.rawValue) (".utf8)
        body += comment(outcome, clientAddress).utf8.prefix(maximumValueLength).filter { !Self.breaksComment($0) }
        body += ")".utf8
        let written = pairs.compactMap { key, value in value.map { Array("\n\t\(key)=".utf8) + $0 } }
        return body + written.joined(separator: [UInt8(ascii: ";")])
    }

    private static let maximumValueLength = 320

    private static func breaksComment(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "(") || octet == UInt8(ascii: ")") || octet == UInt8(ascii: "\\")
    }

    /// The value of a pair: a dot-atom if possible, otherwise a quoted-string (RFC 5322 §§ 3.2.3 and 3.2.4).
    private static func value(_ text: Octets) -> [UInt8] {
        if text.isDotAtom { return Array(text) }
        var quoted = [UInt8(ascii: "\"")]
        for octet in text {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(octet)
        }
        quoted.append(UInt8(ascii: "\""))
        return quoted
    }

    /// A value written for people: one printable line of US-ASCII.
    private static func text(_ text: String) -> [UInt8] {
        value(Octets(Octets(text).prefix(maximumValueLength).printable))
    }

    /// The result in words.
    private static func comment(_ outcome: SPFOutcome, _ client: IPAddress) -> String {
        let domain = outcome.domain ?? "the sender"
        let address = client.unmapped
        return switch outcome.result {
        case .pass: "\(domain) permits \(address)"
        case .fail: "\(domain) does not permit \(address)"
        case .softfail: "\(domain) probably does not permit \(address)"
        case .neutral: "\(domain) says nothing about \(address)"
        case .none: "no policy for \(domain)"
        case .temperror: "the policy of \(domain) cannot be looked up now"
        case .permerror: "the policy of \(domain) is in error"
        }
    }
}
