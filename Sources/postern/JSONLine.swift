internal import FoundationEssentials
internal import MailSyntax

/// Writes values as JSON, one on each line, with keys in snake case.
enum JSONLine {
    /// The value's octets, with a line end.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [.lf]
    }
}
