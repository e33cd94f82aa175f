import Foundation

/// A stored message with its envelope: one line of a scenario.
struct Message: Sendable {
    let id: String
    let clientAddress: String
    let clientName: String
    let helo: String
    let sender: String
    let recipients: [String]
    var fields: [(name: [UInt8], value: [UInt8])]
    let body: [UInt8]

    /// Why a scenario cannot be read.
    struct ScenarioError: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads a scenario: lines of `id address name helo sender recipient[,recipient] path`, separated by tabs.
    ///
    /// A sender `-` or `<>` is the null sender; paths are relative to the scenario's folder.
    static func scenario(at path: String) throws -> [Message] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
            guard columns.count >= 7 else { throw ScenarioError(description: "not a scenario line: \(line)") }
            let octets = try [UInt8](Data(contentsOf: folder.appendingPathComponent(columns[6])))
            return Message(columns, octets: octets)
        }
    }

    private init(_ columns: [String], octets: [UInt8]) {
        id = columns[0]
        clientAddress = columns[1]
        clientName = columns[2]
        helo = columns[3]
        sender = columns[4] == "-" || columns[4] == "<>" ? "" : columns[4]
        recipients = columns[5].split(separator: ",").map { String($0) }
        var fields = [(name: [UInt8], value: [UInt8])]()
        var rest = octets[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            var line = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            if line.last == 0x0D { line = line.dropLast() }
            guard let first = line.first else { break }
            if first == 0x20 || first == 0x09, !fields.isEmpty {
                // Milters get folds as LF.
                fields[fields.count - 1].value += [0x0A] + line
            } else if let colon = line.firstIndex(of: 0x3A) {
                fields.append(([UInt8](line[..<colon]), [UInt8](line[(colon + 1)...])))
            }
        }
        self.fields = fields
        var body = [UInt8]()
        body.reserveCapacity(rest.count + rest.count / 32)
        var previous: UInt8 = 0
        for octet in rest {
            if octet == 0x0A, previous != 0x0D { body.append(0x0D) }
            body.append(octet)
            previous = octet
        }
        self.body = body
    }
}
