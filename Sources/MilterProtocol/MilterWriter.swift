import CMilter
import MailSyntax

/// Writes packets to the MTA.
///
/// Only here does text from outside become part of the stream, so it is made safe here.
public struct MilterWriter: Sendable {
    /// The packets written so far.
    public private(set) var octets: [UInt8] = []

    /// A writer that has written nothing.
    public init() {}

    /// Removes the packets written so far, and keeps the memory unless it has become large.
    public mutating func removeAll() { octets.removeAll(keepingCapacity: octets.capacity <= 16_384) }

    /// Writes the answer to option negotiation.
    ///
    /// It does not request macros: a list of macros would replace the administrator's.
    public mutating func write(_ options: MilterOptions) {
        packet(CSMFIC_OPTNEG) { octets in
            MilterWriter.append(options.version, to: &octets)
            MilterWriter.append(options.actions.rawValue, to: &octets)
            MilterWriter.append(options.protocolBits, to: &octets)
        }
    }

    /// Writes a response.
    public mutating func write(_ response: MilterResponse) {
        switch response {
        case .continue: packet(CSMFIR_CONTINUE)
        case .accept: packet(CSMFIR_ACCEPT)
        case .reject: packet(CSMFIR_REJECT)
        case .tempfail: packet(CSMFIR_TEMPFAIL)
        case .discard: packet(CSMFIR_DISCARD)
        case .skip: packet(CSMFIR_SKIP)
        case .reply(let reply): packet(CSMFIR_REPLYCODE) { $0 += reply.octets + [0] }
        }
    }

    /// Writes that the filter is still working; this restarts the MTA's timeout.
    public mutating func writeProgress() { packet(CSMFIR_PROGRESS) }

    /// Writes a change, if the MTA agreed to such changes and the change can be written.
    ///
    /// - Returns: whether it was written.
    @discardableResult
    public mutating func write(_ modification: MilterModification, options: MilterOptions) -> Bool {
        guard options.actions.contains(modification.action) else { return false }
        let leadingSpace = options.leadingSpace
        switch modification {
        case .insertHeader(let index, let name, let value):
            guard MilterWriter.isFieldName(name) else { return false }
            packet(CSMFIR_INSHEADER) { octets in
                MilterWriter.append(index, to: &octets)
                MilterWriter.appendField(name, value, leadingSpace, to: &octets)
            }
        case .addHeader(let name, let value):
            guard MilterWriter.isFieldName(name) else { return false }
            packet(CSMFIR_ADDHEADER) { MilterWriter.appendField(name, value, leadingSpace, to: &$0) }
        case .changeHeader(let name, let index, let value):
            guard MilterWriter.isFieldName(name) else { return false }
            packet(CSMFIR_CHGHEADER) { octets in
                MilterWriter.append(index, to: &octets)
                MilterWriter.appendField(name, value, leadingSpace, to: &octets)
            }
        case .quarantine(let reason):
            // Postfix and Sendmail take the reason as one line of a queue file.
            packet(CSMFIR_QUARANTINE) { $0 += MilterWriter.printable(reason).prefix(100) + [0] }
        case .changeSender(let address, let arguments):
            packet(CSMFIR_CHGFROM) { MilterWriter.appendPath(address, arguments, to: &$0) }
        case .addRecipient(let address, let arguments):
            packet(arguments.isEmpty ? CSMFIR_ADDRCPT : CSMFIR_ADDRCPT_PAR) {
                MilterWriter.appendPath(address, arguments, to: &$0)
            }
        case .deleteRecipient(let address):
            packet(CSMFIR_DELRCPT) { MilterWriter.appendPath(address, [], to: &$0) }
        case .replaceBody(let body):
            var rest = body
            repeat {
                let chunk = rest.prefix(Int(MILTER_CHUNK_SIZE))
                packet(CSMFIR_REPLBODY) { $0 += chunk }
                rest = rest.dropFirst(chunk.count)
            } while !rest.isEmpty
        }
        return true
    }

    /// Writes a packet: length, command, data.
    private mutating func packet(_ command: UInt8, data: (inout [UInt8]) -> Void = { _ in }) {
        let start = octets.count
        MilterWriter.append(0, to: &octets)
        octets.append(command)
        data(&octets)
        let length = UInt32(truncatingIfNeeded: octets.count - start - 4)
        for offset in 0..<4 { octets[start + offset] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * offset)) }
    }

    private static func append(_ number: UInt32, to octets: inout [UInt8]) {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe octets.append(contentsOf: $0) }
    }

    // RFC 5322 § 2.2: a field name is printable US-ASCII without colon.
    private static func isFieldName(_ name: ArraySlice<UInt8>) -> Bool {
        !name.isEmpty && name.count < 998 && name.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
    }

    private static func appendField(
        _ name: ArraySlice<UInt8>,
        _ value: ArraySlice<UInt8>,
        _ leadingSpace: Bool,
        to octets: inout [UInt8]
    ) {
        octets += name
        octets.append(0)
        MilterWriter.appendFieldBody(value, firstLine: name.count + 1, leadingSpace, to: &octets)
        octets.append(0)
    }

    /// Appends a header field's body: lines joined by LF, where each further line begins with a space or tab, and no
    /// line is blank or longer than 998 octets (RFC 5322 §§ 2.1.1, 2.2.3).
    ///
    /// The body has a leading space only if that was negotiated.
    private static func appendFieldBody(
        _ value: ArraySlice<UInt8>,
        firstLine used: Int,
        _ leadingSpace: Bool,
        to octets: inout [UInt8]
    ) {
        var isFirst = true
        var start = value.startIndex
        while start < value.endIndex {
            let end = value[start...].firstIndex { $0 == .lf || $0 == .cr || $0 == 0 } ?? value.endIndex
            if isFirst { while start < end, value[start] == .space { start += 1 } }
            var text = value[start..<end]
            start = end + 1
            guard !text.allSatisfy({ $0 == .space || $0 == .tab }) else { continue }
            if isFirst, leadingSpace { octets.append(.space) }
            if !isFirst {
                octets.append(.lf)
                if text.first != .space, text.first != .tab { octets.append(.tab) }
            }
            var room = isFirst ? max(1, 996 - used) : 996
            while text.count > room {
                octets += text.prefix(room)
                octets += [.lf, .tab]
                text = text.dropFirst(room)
                room = 996
            }
            octets += text
            isFirst = false
        }
    }

    private static func appendPath(
        _ address: ArraySlice<UInt8>,
        _ arguments: ArraySlice<UInt8>,
        to octets: inout [UInt8]
    ) {
        octets += printable(address) + [0]
        if !arguments.isEmpty { octets += printable(arguments) + [0] }
    }

    /// The octets with a space for each control character.
    private static func printable(_ text: ArraySlice<UInt8>) -> [UInt8] {
        text.map { $0 < 0x20 || $0 == 0x7F ? .space : $0 }
    }
}

extension MilterModification {
    /// The action that the MTA must have agreed to.
    var action: MilterActions {
        switch self {
        case .insertHeader, .addHeader: .addHeaders
        case .changeHeader: .changeHeaders
        case .quarantine: .quarantine
        case .changeSender: .changeSender
        case .addRecipient(_, let arguments): arguments.isEmpty ? .addRecipients : .addRecipientsWithArguments
        case .deleteRecipient: .deleteRecipients
        case .replaceBody: .changeBody
        }
    }
}
