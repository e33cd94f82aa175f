import CMilter

/// The macros that an MTA has defined, by the stage of their definition.
///
/// Definitions for a stage replace those for that stage and for every later one, as in libmilter: macros of one message
/// or recipient do not apply to the next.
public struct MilterMacros: Sendable, Hashable {
    /// The most definitions that are kept; MTAs make about ten at a stage.
    private static let maximumDefinitions = 1024
    /// The most octets of definitions; MTAs send a few hundred at a stage.
    private static let maximumOctets = 32_768

    /// One definition: the ranges of its name, without braces, and of its value in the text.
    private struct Definition: Hashable {
        let stage: Stage
        let name: Range<Int>
        let value: Range<Int>
    }

    /// The data of the packets, joined in the order of their stages: name, NUL, value, NUL, and so on.
    private var text: [UInt8] = []
    private var definitions: [Definition] = []

    /// No macros.
    public init() {}

    /// The length of the definitions in octets.
    public var octetCount: Int { text.count }

    /// The stages, in the order in which they clear one another.
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

    /// The value of a macro; nil when it is not defined.
    ///
    /// The first definition of the latest stage counts.
    ///
    /// - Parameter name: the name without braces, for example `i` or `auth_authen`; MTAs write it with or without them.
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
    /// Definitions for other stages are not kept.
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
            // The last value may lack its NUL, but a part of a value is not a value.
            guard let valueEnd = end(from: nameEnd + 1) ?? (isCut ? nil : text.count) else { break }
            definitions.append(Definition(stage: stage, name: symbol(next..<nameEnd), value: nameEnd + 1..<valueEnd))
            next = valueEnd + 1
        }
        return stage == .mail
    }

    /// The position of the next NUL; nil when there is none.
    private func end(from start: Int) -> Int? {
        start < text.count ? text[start...].firstIndex(of: 0) : nil
    }

    /// The name within a symbol: the text between the braces, if there are any.
    private func symbol(_ range: Range<Int>) -> Range<Int> {
        let hasBraces = range.count > 2 && text[range.lowerBound] == 0x7B && text[range.upperBound - 1] == 0x7D
        return hasBraces ? range.lowerBound + 1..<range.upperBound - 1 : range
    }

    /// Removes the definitions for this stage and for later ones.
    mutating func clear(from stage: Stage) {
        // An unknown SMTP command does not concern the other stages.
        while let last = definitions.last, last.stage.rawValue >= stage.rawValue { definitions.removeLast() }
        text.removeLast(text.count - (definitions.last?.value.upperBound ?? 0))
    }
}
