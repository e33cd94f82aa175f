import CMilter

/// The macros that an MTA has defined, by the stage at which they were defined.
///
/// A stage's definitions replace those of that stage and of every later one, as in libmilter: what was said of one message
/// or recipient is not taken for the next one's.
public struct MilterMacros: Sendable, Hashable {
    /// How many definitions are kept; MTAs make about ten at a stage.
    private static let maximumDefinitions = 1024
    /// How many octets they take; MTAs send a few hundred at a stage.
    private static let maximumOctets = 32_768

    /// One definition: where its symbol, without braces, and its value lie in the text.
    private struct Definition: Hashable {
        let stage: Stage
        let name: Range<Int>
        let value: Range<Int>
    }

    /// The packets' data, one behind the other in the order of their stages: name, NUL, value, NUL, and so on.
    private var text: [UInt8] = []
    private var definitions: [Definition] = []

    /// No macros.
    public init() {}

    /// How many octets the definitions take.
    public var octetCount: Int { text.count }

    /// The stages in the order in which they clear one another.
    enum Stage: Int {
        case connect, helo, mail, recipient, data, endOfHeaders, endOfMessage, unknown

        init?(octet: UInt8) {
            switch octet {
            case CSMFIC_CONNECT: self = .connect
            case CSMFIC_HELO: self = .helo
            case CSMFIC_MAIL: self = .mail
            case CSMFIC_RCPT: self = .recipient
            case CSMFIC_DATA: self = .data
            case CSMFIC_EOH: self = .endOfHeaders
            case CSMFIC_BODYEOB: self = .endOfMessage
            case CSMFIC_UNKNOWN: self = .unknown
            default: return nil
            }
        }
    }

    /// The value of a macro, or nil when it is not defined; the latest stage's first definition counts.
    ///
    /// - Parameter name: without braces, for example `i` or `auth_authen`; MTAs write either form.
    public subscript(name: StaticString) -> ArraySlice<UInt8>? {
        var found: Definition?
        for definition in definitions.reversed() {
            if let found, definition.stage != found.stage { break }
            if isName(definition.name, name) { found = definition }
        }
        return found.map { text[$0.value] }
    }

    private func isName(_ range: Range<Int>, _ name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        let octets = text.span
        return name.withUTF8Buffer { name in
            for index in name.indices where unsafe octets[range.lowerBound + index] != name[index] { return false }
            return true
        }
    }

    /// Takes a packet's data: the command octet of the stage, then names and values.
    ///
    /// Other stages are not kept.
    ///
    /// - Returns: whether these are the macros of MAIL.
    mutating func define(_ data: UnsafeRawBufferPointer) -> Bool {
        guard let octet = unsafe data.first, let stage = Stage(octet: octet) else { return false }
        clear(from: stage)
        if text.isEmpty {
            text.reserveCapacity(512)
            definitions.reserveCapacity(16)
        }
        var next = text.count
        let added = unsafe data.dropFirst().prefix(Self.maximumOctets - text.count)
        let isCut = unsafe added.count < data.count - 1
        unsafe text.append(contentsOf: added)
        while let nameEnd = end(from: next), definitions.count < Self.maximumDefinitions {
            // The last value may lack its NUL, but a part of a value is none.
            guard let valueEnd = end(from: nameEnd + 1) ?? (isCut ? nil : text.count) else { break }
            definitions.append(Definition(stage: stage, name: symbol(next..<nameEnd), value: nameEnd + 1..<valueEnd))
            next = valueEnd + 1
        }
        return stage == .mail
    }

    /// Where the next NUL is; nil when there is none.
    private func end(from start: Int) -> Int? {
        start < text.count ? text[start...].firstIndex(of: 0) : nil
    }

    /// The name within a symbol: what stands between braces, if it has them.
    private func symbol(_ range: Range<Int>) -> Range<Int> {
        let hasBraces = range.count > 2 && text[range.lowerBound] == 0x7B && text[range.upperBound - 1] == 0x7D
        return hasBraces ? range.lowerBound + 1..<range.upperBound - 1 : range
    }

    /// Forgets the definitions of this stage and of the later ones.
    mutating func clear(from stage: Stage) {
        // An unknown SMTP command says nothing of the other stages.
        while let last = definitions.last, last.stage.rawValue >= stage.rawValue { definitions.removeLast() }
        text.removeLast(text.count - (definitions.last?.value.upperBound ?? 0))
    }
}
