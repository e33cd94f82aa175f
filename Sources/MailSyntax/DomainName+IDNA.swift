internal import CIDN2
internal import Glibc

extension DomainName {
    /// Reads a name that may hold U-labels in UTF-8 and turns them into A-labels (RFC 5890 § 2.3.2.1).
    ///
    /// RFC 8616 §§ 3 to 6: SPF, DKIM and DMARC ask the DNS for A-labels only. A name of US-ASCII alone is taken as it is.
    public init(unicode text: Octets) throws(SyntaxError) {
        guard text.contains(where: { $0 >= 0x80 }) else {
            try self.init(text)
            return
        }
        // A NUL would end the C string early and hide what follows.
        guard !text.contains(0) else { throw .notIDNA }
        var output: UnsafeMutablePointer<CChar>?
        // libidn2: `output` is allocated by the library, to be freed by idn2_free; it stays null on an error.
        let status = unsafe idn2_to_ascii_8z(text.text, &output, Int32(IDN2_NONTRANSITIONAL.rawValue))
        guard status == IDN2_OK.rawValue, let output = unsafe output else { throw .notIDNA }
        defer { unsafe idn2_free(output) }
        try self.init(Octets(unsafe String(cString: output)))
    }
}
