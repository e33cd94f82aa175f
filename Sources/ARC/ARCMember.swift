internal import DKIM
internal import MailSyntax

/// The header fields of an ARC Set (RFC 8617 § 4.1); the raw value is the name of the field.
public enum ARCMember: String, CaseIterable, Sendable {
    /// What the sealer found out about the message (§ 4.1.1).
    case results = "ARC-Authentication-Results"
    /// The sealer's signature of the message (§ 4.1.2).
    case message = "ARC-Message-Signature"
    /// The sealer's signature of all sets so far (§ 4.1.3).
    case seal = "ARC-Seal"

    /// The member that a field is; nil for other fields.
    ///
    /// Every message is searched, so lengths are compared before names.
    init?(at index: Int, of headers: HeaderBlock) {
        guard headers.initial(at: index) == UInt8(ascii: "a") else { return nil }
        switch headers.nameLength(at: index) {
        case 8 where headers.hasName("ARC-Seal", at: index): self = .seal
        case 21 where headers.hasName("ARC-Message-Signature", at: index): self = .message
        case 26 where headers.hasName("ARC-Authentication-Results", at: index): self = .results
        default: return nil
        }
    }
}

/// A field of a set, with its instance.
struct ARCField: Sendable {
    /// The highest instance.
    ///
    /// RFC 8617 § 4.2.1: an instance is a number from 1 to 50.
    static let maximumInstance = 50

    let member: ARCMember
    let instance: Int
    /// The position of the field among all fields of the message.
    let index: Int
    let field: HeaderField
    /// The tags of a signature or seal; nil for the results.
    let tags: TagList?

    init(_ member: ARCMember, at index: Int, of headers: HeaderBlock) throws(ARCProblem) {
        self.member = member
        self.index = index
        field = headers[index]
        switch member {
        case .results:
            tags = nil
            instance = try Self.number(Self.instance(ofResults: field.value), member)
        case .message, .seal:
            let tags: TagList
            do throws(DKIMSignature.SyntaxError) {
                tags = try DKIMSignature.tags(field)
            } catch {
                throw .unreadable(member, nil, error)
            }
            self.tags = tags
            instance = try Self.number(tags["i"], member)
        }
    }

    private static func instance(ofResults value: Octets) -> Octets? {
        // RFC 8617 § 4.1.1: arc-info = instance [CFWS] ";" authres-payload
        var scanner = FieldScanner(value)
        guard (try? scanner.skipCFWS()) != nil, scanner.take(UInt8(ascii: "i")),
            (try? scanner.skipCFWS()) != nil, scanner.take(UInt8(ascii: "=")),
            (try? scanner.skipCFWS()) != nil
        else { return nil }
        let digits = scanner.run(while: \.isDigit)
        return (try? scanner.skipCFWS()) != nil && scanner.take(UInt8(ascii: ";")) ? digits : nil
    }

    private static func number(_ digits: Octets?, _ member: ARCMember) throws(ARCProblem) -> Int {
        // RFC 8617 § 4.1.1: position = 1*2DIGIT ; 1 - 50
        guard let digits, (1...2).contains(digits.count), digits.allSatisfy(\.isDigit),
            let number = Int(digits.text), (1...maximumInstance).contains(number)
        else { throw .instance(member) }
        return number
    }
}
