internal import CIDN2
internal import Glibc

extension DomainName {
    /// Reads a name that may hold U-labels in UTF-8 and turns them into A-labels (RFC 5890 § 2.3.2.1).
    ///
    /// RFC 8616 §§ 3 to 6: SPF, DKIM and DMARC ask the DNS for A-labels only. A name in US-ASCII is taken as it is. RFC
    /// 5321 § 4.5.3.1.2: "The maximum total length of a domain name or number is 255 octets." libidn2 takes a thousand
    /// instructions for each octet, so longer names are not read.
    public init(unicode text: Octets) throws(SyntaxError) {
        guard text.contains(where: { $0 >= 0x80 }) else {
            try self.init(text)
            return
        }
        // A NUL would end the C string early and hide what follows.
        guard text.count <= 255, !text.contains(0) else { throw .notIDNA }
        // IDNA 2008 disallows symbols; UTS 46 § 7 permits looking them up. Their A-labels are valid names, so the
        // U-labels must mean the same names. Where the two forms of UTS 46 differ, only that of IDNA 2008 is taken.
        var ascii = Self.ascii(text.text, IDN2_NONTRANSITIONAL)
        if ascii == nil, !text.text.unicodeScalars.contains(where: Self.deviations.contains) {
            ascii = Self.ascii(text.text, IDN2_TRANSITIONAL)
        }
        guard let ascii else { throw .notIDNA }
        try self.init(Octets(ascii))
    }

    /// The characters that UTS 46 § 2.3 maps differently: the sharp s, the final sigma and the joiners.
    private static let deviations: Set<Unicode.Scalar> = ["\u{DF}", "\u{3C2}", "\u{200C}", "\u{200D}"]

    private static func ascii(_ text: String, _ processing: idn2_flags) -> String? {
        var output: UnsafeMutablePointer<CChar>?
        // libidn2 allocates `output`, and idn2_free frees it; `output` stays null on an error.
        let status = unsafe idn2_to_ascii_8z(text, &output, Int32(processing.rawValue))
        guard status == IDN2_OK.rawValue, let output = unsafe output else { return nil }
        defer { unsafe idn2_free(output) }
        return unsafe String(cString: output)
    }

    /// The name with its A-labels as U-labels, in UTF-8; nil where one of them stands for none.
    package var unicode: String? {
        var output: UnsafeMutablePointer<CChar>?
        // As above.
        let status = unsafe idn2_to_unicode_8z8z(description, &output, 0)
        guard status == IDN2_OK.rawValue, let output = unsafe output else { return nil }
        defer { unsafe idn2_free(output) }
        return unsafe String(cString: output)
    }

    /// Reads the name of a host as mail uses it: behind the `@` of an address, in `d=`, in HELO.
    ///
    /// RFC 5321 § 2.3.5 and RFC 1035 § 2.3.1 allow letters, digits and hyphens. The same holds after IDNA with STD3
    /// rules, which leave no white space of any script. The DNS would answer for `bank.example'`, or for `bank.example`
    /// with a no-break space, while a reader of the address sees another name in it. No host name has underscores (RFC
    /// 1123 § 2.1), but they are accepted: readers see them, and mail comes from such names.
    public init(mailHost text: Octets) throws(SyntaxError) {
        // libidn2 2.3.3 drops characters that its STD3 flag should refuse; without the flag white space becomes a
        // space.
        try self.init(unicode: text)
        guard isHostName, !text.hasStruckSign else { throw .notHost }
    }
}

extension ArraySlice<UInt8> {
    /// Whether the text has one of the three characters that UTS 46 allows unless STD3 rules hold: U+2260, U+226E and
    /// U+226F, which are `=`, `<` and `>` with a stroke.
    fileprivate var hasStruckSign: Bool {
        guard contains(0xE2) else { return false }
        return indices.dropLast(2).contains { index in
            self[index] == 0xE2 && self[index + 1] == 0x89 && [0xA0, 0xAE, 0xAF].contains(self[index + 2])
        }
    }
}
