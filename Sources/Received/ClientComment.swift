internal import MailSyntax

/// A comment in which a server says what it has seen of the client.
struct ClientComment {
    /// The address; nil where the server writes it in front of the comment.
    let address: IPAddress?
    /// The argument of HELO, if it stands here.
    let helo: Octets?

    /// What a comment says, by its form; nil for a comment of any other form.
    ///
    /// - `NAME [ADDRESS]`, `USER@NAME [ADDRESS]`, `[ADDRESS]`: Postfix, Sendmail, OpenSMTPD, Courier, most appliances.
    /// - `Not Verified[ADDRESS]`: MailMarshal.
    /// - `[ADDRESS]:PORT helo=HELO ident=USER`: Exim; without the address, it stands in front of the comment.
    /// - `ADDRESS`, `USER@ADDRESS`: Exchange, qmail.
    init?(_ comment: Octets) {
        let words = comment.prefix { $0 != UInt8(ascii: "(") }.words
        guard let first = words.first else { return nil }
        if let address = first.addressLiteral {
            self.init(address: address, helo: words.dropFirst().tag("helo"))
        } else if words.count == 1, let address = first.plainAddress {
            self.init(address: address, helo: nil)
        } else if words.allSatisfy(\.isTag) {
            self.init(address: nil, helo: words[...].tag("helo"))
        } else if words.count > 1, let address = words[1].addressLiteral ?? words[1].unverifiedAddress(behind: first) {
            self.init(address: address, helo: nil)
        } else {
            return nil
        }
    }

    private init(address: IPAddress?, helo: Octets?) {
        self.address = address
        self.helo = helo
    }
}

extension Octets {
    /// The words between white space.
    fileprivate var words: [Octets] {
        split { $0.isWSP || $0 == .cr || $0 == .lf }
    }

    /// The address of `[ADDRESS]` or `[ADDRESS]:PORT`, with or without `IPv6:` and a zone; nil for anything else.
    var addressLiteral: IPAddress? {
        guard first == UInt8(ascii: "["), let end = firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let rest = self[(end + 1)...]
        guard rest.isEmpty || (rest.first == UInt8(ascii: ":") && rest.dropFirst().allSatisfy(\.isDigit)) else {
            return nil
        }
        let text = self[(startIndex + 1)..<end]
        // RFC 5321 § 4.1.3: IPv6-address-literal.
        return text.prefix(5).equalsIgnoringCase("IPv6:") ? text.dropFirst(5).address : text.address
    }

    /// The address of `ADDRESS` or `USER@ADDRESS`.
    fileprivate var plainAddress: IPAddress? {
        self[(lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? startIndex)...].address
    }

    /// An address with or without a zone (RFC 4007 § 11).
    private var address: IPAddress? { IPAddress(prefix { $0 != UInt8(ascii: "%") }) }

    /// The address of `Verified[ADDRESS]`, where the word before is `Not`.
    fileprivate func unverifiedAddress(behind word: Octets) -> IPAddress? {
        guard word.elementsEqual("Not".utf8), starts(with: "Verified[".utf8) else { return nil }
        return dropFirst(8).addressLiteral
    }

    /// Whether this is a tag of Exim's, which has no other words beside its tags.
    fileprivate var isTag: Bool {
        ["helo=", "ident=", "port="].contains { starts(with: $0.utf8) }
    }

    /// The word behind `HELO` or `EHLO` at the beginning of a comment; nil where another word stands there.
    ///
    /// The client chooses what stands behind it, also `[ADDRESS]`.
    var greeting: Octets? {
        let words = words
        guard let first = words.first, ["HELO", "EHLO", "LHLO"].contains(where: { first.isGreeting($0) }) else {
            return nil
        }
        return words.dropFirst().first ?? []
    }

    /// The word behind `HELO` anywhere, as CommuniGate Pro writes it behind a login.
    var greetingOfCommuniGate: Octets? {
        let words = words
        guard let place = words.firstIndex(where: { $0.elementsEqual("HELO".utf8) }) else { return nil }
        return place + 1 < words.count ? words[place + 1] : []
    }

    private func isGreeting(_ verb: StaticString) -> Bool {
        (last == UInt8(ascii: ":") ? dropLast() : self).equalsIgnoringCase(verb)
    }
}

extension ArraySlice<Octets> {
    /// The value of a tag.
    fileprivate func tag(_ name: String) -> Octets? {
        first { $0.starts(with: (name + "=").utf8) }?.dropFirst(name.utf8.count + 1)
    }
}
