public import FoundationEssentials

/// This checkout of the project.
enum Checkout {
    static let path = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
}

/// The project's own test vectors, in Tests/Vectors.
public enum Vectors {
    /// Where a file of vectors is.
    public static func path(_ path: String) -> String { Checkout.path + "/Tests/Vectors/" + path }

    /// The octets of a file of vectors.
    public static func read(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: self.path(path))) }
}
