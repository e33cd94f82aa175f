import FoundationEssentials

/// Tests/Vectors/authors.json: what becomes of each From.
public struct AuthorVector: Decodable, Sendable {
    private struct File: Decodable {
        var cases: [AuthorVector]
    }

    /// The value of the field.
    public var from: String
    /// How it is read.
    public var author: String
    /// DMARC's result.
    public var dmarc: String
    /// The purported responsible address; nil where there is none.
    public var pra: String?
    /// Why.
    public var why: String

    /// All of them.
    public static func all() throws -> [AuthorVector] {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "/\(folder)/Vectors/authors.json"))
        return try JSONDecoder().decode(File.self, from: data).cases
    }
}
