internal import FoundationEssentials
internal import MailSyntax

/// Writes values as JSON, each on a line, with the keys in snake case.
public enum JSONReport {
    /// The value's octets with a line end.
    public static func line(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [.lf]
    }
}
