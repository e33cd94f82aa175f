public import MailSyntax

/// A domain-spec: text that becomes a domain name when its macros are expanded (RFC 7208 §§ 4.8 and 7.1).
///
/// A class, because records keep many of them and a term without one needs no room for it.
public final class SPFDomainSpec: Sendable {
    /// The macro-string.
    public let string: SPFMacroString
    /// Whether there are no macros, so that every check has the same target-name.
    let isConstant: Bool
    /// The target-name of a constant domain-spec; nil when it is not a domain name.
    let constantName: DomainName?
    /// Whether `%{p}` occurs: then the client's name must be looked up first.
    let usesValidatedName: Bool
    /// Whether `%{l}` or `%{s}` occurs.
    let usesLocalPart: Bool

    /// Reads a domain-spec.
    ///
    /// - Parameters:
    ///   - text: the domain-spec.
    ///   - isTested: whether a check may reach it; otherwise only its syntax is checked, and it names nothing.
    public init(parsing text: Octets, isTested: Bool = true) throws(SPFRecord.SyntaxError.Reason) {
        guard !text.isEmpty else { throw .missingDomain }
        let string = try SPFMacroString(parsing: text, in: .record)
        // RFC 7208 § 7.1: domain-end = ( "." toplabel [ "." ] ) / macro-expand
        if case .literal(let start, let end)? = string.parts.last, !Self.isPercent(string, start) {
            guard Self.endsInTopLabel(string.literal(start, end)) else { throw .invalidDomain }
        }
        self.string = string
        let isConstant = string.parts.allSatisfy { if case .macro = $0 { false } else { true } }
        self.isConstant = isConstant
        self.constantName = isConstant && isTested ? string.targetName(nil) : nil
        self.usesValidatedName = string.uses(.validatedName)
        self.usesLocalPart = string.uses(.localPart) || string.uses(.sender)
    }

    /// Whether the literal is the single octet that `%%` stands for: a macro-expand, not a macro-literal.
    private static func isPercent(_ string: SPFMacroString, _ start: Int32) -> Bool {
        string.literal(start, start + 1).first == UInt8(ascii: "%")
    }

    private static func endsInTopLabel(_ literal: Octets) -> Bool {
        let text = literal.last == UInt8(ascii: ".") ? literal.dropLast() : literal
        guard let dot = text.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let label = text[(dot + 1)...]
        guard let first = label.first, let last = label.last else { return false }
        // RFC 7208 § 7.1: toplabel, "LDH rule plus additional TLD restrictions (see Section 2 of RFC 3696)".
        return label.allSatisfy { $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: "-") }
            && first != UInt8(ascii: "-") && last != UInt8(ascii: "-") && !label.allSatisfy(\.isDigit)
    }
}
