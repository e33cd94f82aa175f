import CMilter

/// The macros that an MTA has defined, by the stage at which they were defined.
///
/// A stage's definitions replace those of that stage and of every later one, as in libmilter: what was said of one message
/// or recipient is not taken for the next one's.
public struct MilterMacros: Sendable, Hashable {
    /// Packet data by stage: name, NUL, value, NUL, and so on.
    ///
    /// The unknown command's come last.
    private var definitions: [ArraySlice<UInt8>]

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
        for stage in definitions.reversed() {
            if let value = MilterMacros.value(of: name, in: stage) { return value }
        }
        return nil
    }

    private static func value(of name: StaticString, in stage: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = stage
        while let nameEnd = rest.firstIndex(of: 0) {
            let valueStart = nameEnd + 1
            let valueEnd = rest[valueStart...].firstIndex(of: 0) ?? rest.endIndex
            if isName(rest[..<nameEnd], name) { return rest[valueStart..<valueEnd] }
            rest = rest[min(valueEnd + 1, rest.endIndex)...]
        }
        return nil
    }

    private static func isName(_ symbol: ArraySlice<UInt8>, _ name: StaticString) -> Bool {
        var symbol = symbol
        if symbol.first == 0x7B, symbol.last == 0x7D, symbol.count > 2 { symbol = symbol.dropFirst().dropLast() }
        return name.withUTF8Buffer { unsafe symbol.elementsEqual($0) }
    }

    /// Takes a packet's data: the command octet of the stage, then names and values.
    ///
    /// Other stages are not kept.
    ///
    /// - Returns: whether these are the macros of MAIL.
    mutating func define(_ data: UnsafeRawBufferPointer) -> Bool {
        guard let octet = unsafe data.first, let stage = Stage(octet: octet) else { return false }
        clear(from: stage)
        unsafe definitions[stage.rawValue] = [UInt8](data.dropFirst())[...]
        return stage == .mail
    }

    /// Forgets the definitions of this stage and of the later ones.
    mutating func clear(from stage: Stage) {
        // An unknown SMTP command says nothing of the other stages.
        for index in stage.rawValue..<definitions.count { definitions[index] = [] }
    }
}
