internal import CTOML

/// Reads TOML 1.0 documents.
public enum TOMLDocument {
    /// Why a text is not TOML, and the place of the error.
    public struct SyntaxError: Error, Sendable {
        /// The parser's message.
        public let message: String
        /// The place where the parser stopped.
        public let position: TOMLPosition
    }

    /// The root table of a document.
    public static func parse(_ text: String) throws(SyntaxError) -> TOMLValue {
        let nodes = try Nodes(text)
        var index = 0
        return nodes.value(at: &index)
    }
}

/// The owner of a parsed document.
///
/// ctoml.h: the document that `ctoml_parse` returns lives until `ctoml_free`, and so do its nodes and texts. The values
/// made here are copies, so nothing outlives the document.
@safe
private struct Nodes: ~Copyable {
    private let document: OpaquePointer
    private let nodes: UnsafeBufferPointer<ctoml_node>

    init(_ text: String) throws(TOMLDocument.SyntaxError) {
        var text = text
        let parsed = text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe ctoml_parse($0.baseAddress, $0.count) }
        }
        guard let parsed = unsafe parsed else {
            throw .init(message: "not enough memory", position: TOMLPosition(line: 1, column: 1))
        }
        var line: UInt32 = 0
        var column: UInt32 = 0
        if let message = unsafe ctoml_error(parsed, &line, &column) {
            let error = unsafe TOMLDocument.SyntaxError(
                message: String(cString: message),
                position: TOMLPosition(line: max(1, Int(line)), column: max(1, Int(column)))
            )
            unsafe ctoml_free(parsed)
            throw error
        }
        var count = 0
        let first = unsafe ctoml_nodes(parsed, &count)
        unsafe document = parsed
        unsafe nodes = UnsafeBufferPointer(start: first, count: count)
    }

    deinit { unsafe ctoml_free(document) }

    /// The value at `index`; moves `index` past the value's children.
    ///
    /// The C code limits the depth.
    func value(at index: inout Int) -> TOMLValue {
        guard unsafe nodes.indices.contains(index) else {
            return TOMLValue(.table([]), at: TOMLPosition(line: 1, column: 1))
        }
        let node = unsafe nodes[index]
        index += 1
        let position = unsafe TOMLPosition(line: max(1, Int(node.line)), column: max(1, Int(node.column)))
        let content: TOMLValue.Content
        switch unsafe UInt32(bitPattern: node.kind) {
        case CTOML_TABLE.rawValue: content = unsafe .table(entries(count: node.children, at: &index))
        case CTOML_ARRAY.rawValue: content = unsafe .array((0..<node.children).map { _ in value(at: &index) })
        case CTOML_STRING.rawValue: content = unsafe .string(Self.text(node.text, node.text_count))
        case CTOML_INTEGER.rawValue: content = unsafe .integer(node.integer)
        case CTOML_FLOAT.rawValue: content = unsafe .float(node.real)
        case CTOML_BOOLEAN.rawValue: content = unsafe .boolean(node.boolean)
        default: content = unsafe .date(Self.text(node.text, node.text_count))
        }
        return TOMLValue(content, at: position)
    }

    private func entries(count: UInt32, at index: inout Int) -> [TOMLEntry] {
        var entries = [TOMLEntry]()
        for _ in 0..<count {
            guard unsafe nodes.indices.contains(index) else { break }
            let node = unsafe nodes[index]
            let key = unsafe Self.text(node.key, node.key_count)
            let position = unsafe TOMLPosition(line: max(1, Int(node.key_line)), column: max(1, Int(node.key_column)))
            entries.append(TOMLEntry(key: key, position: position, value: value(at: &index)))
        }
        // toml++ keeps a table's keys in alphabetical order.
        return entries.sorted {
            ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
        }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        guard let start = unsafe start else { return "" }
        return unsafe UnsafeBufferPointer(start: start, count: count).withMemoryRebound(to: UInt8.self) {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }
}
