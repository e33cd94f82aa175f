import CMilter

/// The macros that an MTA has defined, by the stage at which they were defined.
///
/// A stage's definitions replace those of that stage and of every later one, as in libmilter: what was said of one message
/// or recipient is not taken for the next one's.
public struct MilterMacros: Sendable, Hashable {
    /// Packet data by stage: name, NUL, value, NUL, and so on.
    ///
    /// The unknown command's come last.
    private var definitions: [[UInt8]]

    /// No macros.
    public init() { definitions = Array(repeating: [], count: Stage.allCases.count) }

    /// The stages in the order in which they clear one another.
    enum Stage: Int, CaseIterable {
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

    /// The value of a macro, or nil when it is not defined; the latest stage's definition counts.
    ///
    /// - Parameter name: without braces, for example `i` or `auth_authen`; MTAs write either form.
    public subscript(name: StaticString) -> ArraySlice<UInt8>? {
        for stage in definitions.reversed() where !stage.isEmpty {
            if let range = MilterMacros.range(of: name, in: stage.span) { return stage[range] }
        }
        return nil
    }

    /// Where the value of a macro lies in a stage's definitions.
    private static func range(of name: StaticString, in stage: Span<UInt8>) -> Range<Int>? {
        var start = 0
        while true {
            let nameEnd = end(in: stage, from: start)
            guard nameEnd < stage.count else { return nil }
            let valueEnd = end(in: stage, from: nameEnd + 1)
            if isName(stage.extracting(start..<nameEnd), name) { return nameEnd + 1..<valueEnd }
            start = valueEnd + 1
        }
    }

    /// Where the next NUL is, or the end.
    private static func end(in stage: Span<UInt8>, from start: Int) -> Int {
        var index = min(start, stage.count)
        while index < stage.count, stage[index] != 0 { index += 1 }
        return index
    }

    private static func isName(_ symbol: Span<UInt8>, _ name: StaticString) -> Bool {
        let hasBraces = symbol.count > 2 && symbol[0] == 0x7B && symbol[symbol.count - 1] == 0x7D
        let offset = hasBraces ? 1 : 0
        guard symbol.count - 2 * offset == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { octets in
            for index in octets.indices where unsafe symbol[offset + index] != octets[index] { return false }
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
        unsafe definitions[stage.rawValue] = [UInt8](data.dropFirst())
        return stage == .mail
    }

    /// Forgets the definitions of this stage and of the later ones.
    mutating func clear(from stage: Stage) {
        // An unknown SMTP command says nothing of the other stages.
        for index in stage.rawValue..<definitions.count { definitions[index] = [] }
    }
}
