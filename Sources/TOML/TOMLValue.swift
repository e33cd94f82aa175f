/// A place in a text, with lines and columns counted from 1.
public struct TOMLPosition: Hashable, Sendable {
    /// The line.
    public var line: Int
    /// The column, in characters.
    public var column: Int

    /// The place at this line and column.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A value in a TOML document, with its place.
public struct TOMLValue: Sendable {
    /// The kinds of values.
    public enum Content: Sendable {
        /// Text in quotes.
        case string(String)
        /// A whole number.
        case integer(Int64)
        /// A number with a fraction.
        case float(Double)
        /// `true` or `false`.
        case boolean(Bool)
        /// A date, a time, or both, as TOML writes it.
        case date(String)
        /// Values in brackets, or the tables of `[[name]]`.
        case array([TOMLValue])
        /// Keys with values, in the order of the document.
        case table([TOMLEntry])
    }

    /// The value itself.
    public let content: Content
    /// The place where the value begins.
    public let position: TOMLPosition

    /// A value at a place.
    public init(_ content: Content, at position: TOMLPosition) {
        self.content = content
        self.position = position
    }

    /// The kind of the value, in words for a message.
    public var kind: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a number with a fraction"
        case .boolean: "a boolean"
        case .date: "a date or time"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// A key of a table with its value.
public struct TOMLEntry: Sendable {
    /// The key.
    public let key: String
    /// The place where the key begins.
    public let position: TOMLPosition
    /// The value of the key.
    public let value: TOMLValue
}
