internal import MailSyntax

/// A comment in which a server says what it has seen of the client.
struct ClientComment {
    /// The address; nil where the server writes it in front of the comment.
    let address: IPAddress?
    /// The argument of HELO, if it stands here.
    let helo: Octets?

    /// What a comment says, by its form; nil for a comment of any other form.
    ///
    /// - `NAME [ADDRESS]`, `USER@NAME [ADDRESS]`, `USER@[ADDRESS]`, `[ADDRESS]`: Postfix, Sendmail, OpenSMTPD, Courier, most
    ///   appliances. The user is the client's word, and may be several words.
    /// - `Not Verified[ADDRESS]`: MailMarshal.
    /// - `[ADDRESS]:PORT helo=HELO ident=USER`: Exim; without the address, it stands in front of the comment.
    /// - `ADDRESS`, `USER@ADDRESS`: Exchange, qmail.
    ///
    /// It has room for words of the client, so an address in it counts only where no other comment `mentions` one.
    init?(_ comment: Octets) {
        let words = comment.words.withoutRemark
        guard let first = words.first, let last = words.last else { return nil }
        let rest = words.dropFirst()
        if let address = first.addressLiteral, rest.first?.isTag ?? true {
            self.init(address: address, helo: rest.tag("helo"))
        } else if rest.isEmpty, let address = first.plainAddress {
            self.init(address: address, helo: nil)
        } else if let address = last.literalOfUser {
            self.init(address: address, helo: nil)
        } else if let name = rest.isEmpty ? nil : words.dropLast().last,
            let address = last.addressLiteral ?? last.unverifiedAddress(behind: name),
            rest.count == 1 || name.contains(UInt8(ascii: "@"))
        {
            self.init(address: address, helo: nil)
        } else if comment.isTagged {
            self.init(address: nil, helo: words.tag("helo"))
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
    var words: ArraySlice<Octets> {
        split { $0.isWSP || $0 == .cr || $0 == .lf }[...]
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
    fileprivate var plainAddress: IPAddress? { behindUser.address }

    /// The address of `USER@[ADDRESS]`.
    fileprivate var literalOfUser: IPAddress? { contains(UInt8(ascii: "@")) ? behindUser.addressLiteral : nil }

    private var behindUser: Octets { self[(lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? startIndex)...] }

    /// An address with or without a zone (RFC 4007 § 11).
    private var address: IPAddress? { IPAddress(prefix { $0 != UInt8(ascii: "%") }) }

    /// The address of `Verified[ADDRESS]`, where the word before is `Not`.
    fileprivate func unverifiedAddress(behind word: Octets) -> IPAddress? {
        guard word.elementsEqual("Not".utf8), starts(with: "Verified[".utf8) else { return nil }
        return dropFirst(8).addressLiteral
    }

    /// Whether this is a tag of Exim's; only words of the client can follow its tags.
    fileprivate var isTag: Bool {
        ["helo=", "ident=", "port="].contains { starts(with: $0.utf8) }
    }

    /// Whether this is a comment that begins with a tag of Exim's.
    var isTagged: Bool { words.first?.isTag ?? false }

    /// How often a comment names an address in a way in which some server names that of the client, at any depth.
    ///
    /// The server's own words are always counted, whatever words of the client stand beside them.
    var mentions: Int {
        let words = split { $0.isWSP || $0 == .cr || $0 == .lf || $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ")") }
        return words.count { $0.isMention }
    }

    private var isMention: Bool {
        if plainAddress != nil { return true }
        guard let start = lastIndex(of: UInt8(ascii: "[")), self[start...].addressLiteral != nil else { return false }
        // The argument of HELO, by itself.
        return !self[..<start].elementsEqual("helo=".utf8)
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

    /// Whether this ends in `HELO` and an address, and has nothing else but perhaps CommuniGate Pro's `account USER`.
    var isGreetingWithAddress: Bool {
        let words = words
        guard let address = words.last, address.addressLiteral != nil || address.address != nil else { return false }
        if words.count == 2 { return greeting != nil }
        return words.count == 4 && words.first?.elementsEqual("account".utf8) == true
            && words.dropLast().last?.elementsEqual("HELO".utf8) == true
    }

    /// The word behind `HELO` anywhere, as CommuniGate Pro writes it behind a login.
    var greetingOfCommuniGate: Octets? {
        let words = words
        guard let place = words.firstIndex(where: { $0.elementsEqual("HELO".utf8) }) else { return nil }
        return words[(place + 1)...].first ?? []
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

    /// The words without Sendmail's remark at the end that the name may be forged.
    fileprivate var withoutRemark: ArraySlice<Octets> {
        let remark = ["(may", "be", "forged)"]
        let isThere = suffix(3).elementsEqual(remark) { word, text in word.elementsEqual(text.utf8) }
        return isThere ? dropLast(3) : self
    }
}
