internal import DKIM
internal import DNSResolver
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import TOML

extension ValueType where Value == ListenAddress {
    /// A socket to listen on.
    static let listenSocket = ValueType.string(
        "socket",
        accepted: ListenAddress.accepted,
        write: { $0.description },
        meant: { ListenAddress.meant(by: $0) },
        reason: { ListenAddress.lengthProblem($0) },
        parse: { ListenAddress($0) }
    )
}

extension ValueType where Value == AddressAndPort {
    /// An address, with a port unless there is a default port.
    static func socketAddress(defaultPort: UInt16?) -> ValueType {
        .string(
            defaultPort == nil ? "address:port" : "address[:port]",
            accepted: defaultPort == nil
                ? "an IP address with a port, as \"127.0.0.1:8892\" or \"[::1]:8892\""
                : "an IP address with or without a port, as \"192.0.2.53\", \"127.0.0.1:5353\" or \"[::1]:5353\"",
            write: { $0.description },
            parse: { AddressAndPort($0, defaultPort: defaultPort) }
        )
    }
}

extension ValueType where Value == NameServer {
    /// A name server.
    static let nameServer = ValueType<AddressAndPort>.socketAddress(defaultPort: 53)
        .map({ NameServer($0) }, back: { AddressAndPort($0.address, port: $0.port) })
}

extension ValueType where Value == IPNetwork {
    static let networkForms = "an address or a network, as \"192.0.2.1\", \"192.0.2.0/24\" or \"2001:db8::/32\""

    /// An address or a network.
    static let network = ValueType.string(
        "network",
        accepted: networkForms,
        write: { $0.description },
        meant: { IPNetwork($0)?.canonical },
        parse: { text in IPNetwork(text).flatMap { $0 == $0.canonical ? $0 : nil } }
    )
}

extension ValueType where Value == DomainName {
    /// A domain name; IDNA is allowed.
    static let domain = ValueType.string(
        "domain",
        accepted: "a domain name, as \"example.org\"",
        write: { $0 == .root ? nil : $0.description },
        parse: { text in
            try? DomainName(mailHost: Octets(text))
        }
    )
}

extension ValueType where Value == DomainName {
    /// The one domain of a table that has another setting for several.
    static let oneDomain = ValueType(
        name: domain.name,
        accepted: domain.accepted,
        read: { value, key, reader in
            guard case .array = value.content else { return domain.read(value, key, &reader) }
            reader.report(value.position, key, "a list cannot be used; did you mean domains?")
            return nil
        },
        write: domain.write
    )
}

extension ValueType where Value == String {
    /// RFC 8601 § 2.5: an authserv-id; here a domain name, so that it never needs quotes.
    static let authservID = ValueType.string(
        "host name",
        accepted: "a host name, as \"mx.example.org\"",
        write: { $0 },
        parse: { text in
            (try? DomainName(mailHost: Octets(text)))?.description
        }
    )

    /// RFC 5322 § 2.2: printable US-ASCII without a colon.
    static let fieldName = ValueType.string(
        "field name",
        accepted: "the name of a header field, without a colon, as \"Subject\"",
        write: { $0 },
        parse: { text in
            !text.isEmpty && text.utf8.allSatisfy { $0.isVChar && $0 != UInt8(ascii: ":") } ? text : nil
        }
    )
}

extension ValueType where Value == CanonicalizationPair {
    /// The canonicalization of header and body (RFC 6376 § 3.4).
    static let canonicalization = ValueType.oneOf(CanonicalizationPair.allCases) { $0.description }
}

extension ValueType where Value == NewField {
    /// A whole header field.
    static let junkField = ValueType.string(
        "header field",
        accepted: "a header field that honest mail does not have, as \"X-Spam-Flag: YES\"",
        write: { "\($0.name): \($0.value[...].text)" },
        parse: { text in
            guard let colon = text.firstIndex(of: ":"),
                text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), text.utf8.count < 500
            else { return nil }
            let name = String(text[..<colon])
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            guard !name.isEmpty, name.utf8.allSatisfy(\.isVChar), !value.isEmpty, !isOfMessages(name) else {
                return nil
            }
            return NewField(name: name, value: Array(value.utf8))
        }
    )

    /// Whether honest messages may arrive with such a field: fields that are not ours are removed.
    private static func isOfMessages(_ name: String) -> Bool {
        let others = [
            "Received", "Return-Path", "DKIM-Signature", "Authentication-Results", "Bcc", "Keywords", "Comments",
        ]
        return (DKIMSigningOptions.defaultHeaders + others).contains { $0.lowercased() == name.lowercased() }
    }
}

extension ValueType where Value == [Configuration.Signing.Key] {
    private typealias Key = Configuration.Signing.Key

    /// Tables with a selector and a file.
    static let signingKeys: ValueType = {
        let accepted = "[ { selector = \"2026r\", file = \"/etc/postern/keys/example.org_2026r.pem\" } ]"
        let settings: [Setting<Key>] = [
            Setting("selector", \.selector, .selector, required: true, example: "\"2026r\"", "The selector."),
            Setting(
                "file",
                \.file,
                .path,
                required: true,
                example: "\"/etc/postern/keys/example.org_2026r.pem\"",
                "The private key in PEM form."
            ),
        ]
        return ValueType(
            name: "list of { selector, file }",
            accepted: accepted,
            read: { value, key, reader in
                guard case .array(let elements) = value.content else {
                    reader.report(value.position, key, "\(value.kind) cannot be used", accepted: accepted)
                    return nil
                }
                guard !elements.isEmpty else {
                    reader.report(value.position, key, "is empty, so nothing could sign", accepted: accepted)
                    return nil
                }
                return elements.enumerated().map { index, element in
                    var read = Key(selector: .root, file: "", location: reader.location(element.position))
                    settings.read(element, "\(key)[\(index + 1)]", into: &read, &reader)
                    return read
                }
            },
            write: { keys in
                guard !keys.isEmpty else { return nil }
                let tables = keys.map {
                    "{ selector = \(TOMLText.quoted($0.selector.description)), file = \(TOMLText.quoted($0.file)) }"
                }
                return "[" + tables.joined(separator: ", ") + "]"
            }
        )
    }()
}
