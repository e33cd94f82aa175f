import EventSpool
import Glibc
import MailEvents
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

/// A spool and a store in a folder of their own.
struct LedgerFolder {
    static let boot = "00112233445566ff"

    let folder: Folder
    let spool: SpoolDirectory
    let store: Store

    init(maximumOctets: Int = 1 << 30) throws {
        folder = try Folder()
        spool = SpoolDirectory(folder.path)
        store = try Store.open(folder.file("ledger.sqlite"), maximumOctets: maximumOctets)
    }

    var intake: Intake { Intake(store, from: spool) { _ in [1, 2, 3] } }

    /// Writes a closed segment.
    func write(_ lines: [String], sequence: Int = 1, boot: String = boot) throws {
        try write(Array(lines.map { $0 + "\n" }.joined().utf8), sequence: sequence, boot: boot)
    }

    /// Writes a closed segment of these octets.
    func write(_ octets: [UInt8], sequence: Int = 1, boot: String = boot) throws {
        let name = SegmentName(host: "mx1", boot: boot, sequence: sequence)
        _ = try folder.write(name.fileName(.closed), octets)
    }

    /// Takes in what waits.
    @discardableResult
    func take() throws -> [Intake.Taken] {
        var taken = [Intake.Taken]()
        try intake.run(notBefore: UnixTime(0)) { taken.append($0) }
        return taken
    }

    /// The queue IDs of the messages that meet a filter, the newest first.
    func found(_ filter: MessageFilter, limit: Int? = nil) throws -> [String] {
        var found = [String]()
        try store.events(filter, limit: limit) {
            found.append($0.event.id ?? "-")
            return true
        }
        return found
    }

    /// Forgets an address or a domain; returns how many messages went.
    func forget(_ address: MessageFilter.Address) throws -> Int {
        let count = try store.forget(store.messages(mentioning: address))
        #expect(try store.clearLog())
        return count
    }

    /// Whether a file is there.
    func exists(_ name: String) -> Bool { unsafe access(folder.file(name), F_OK) == 0 }

    /// The mode of a file.
    func mode(_ name: String) -> mode_t {
        var status = stat()
        _ = unsafe stat(folder.file(name), &status)
        return status.st_mode & 0o7777
    }
}

/// An event's line, with what a test wants to be special.
struct SampleEvent {
    static let noon = 1_795_737_600.0

    var time = noon
    var host = "mx1.example.org"
    var id = "4XyZ1"
    var author = "example.com"
    var ip = "192.0.2.1"
    var name = "mail.example.com"
    var helo = "mail.example.com"
    var sender = "a@example.com"
    var recipients = ["b@example.net"]
    var refused = [String]()
    var spf = "pass"
    var dmarc = "pass"
    var dkimProblem: String?
    var signer = "example.com"
    /// How often it has signed.
    var signatures = 1
    /// Whose DMARC record applies.
    var policyDomain = "example.com"
    var organizational = "example.com"
    var policy = "reject"
    var rua = [String]()
    var action = "accept"
    var rule: String?
    var would: (action: String, rule: String)?
    var trial = [String]()
    var answers: String?

    var line: String {
        let rule = rule.map(text) ?? "null"
        let would =
            would.map { #"{"action":\#(text($0.action)),"rule":\#(text($0.rule)),"stage":"eom"}"# } ?? "null"
        let trial = trial.map { #"{"action":"reject","rule":\#(text($0)),"stage":"eom"}"# }.joined(separator: ",")
        let signature =
            #"{"d":\#(text(signer)),"s":"r","a":"rsa-sha256","result":"pass","aligned":"strict","testing":false,"#
            + #""problem":\#(dkimProblem.map(text) ?? "null"),"diagnosis":[]}"#
        let dkim = Array(repeating: signature, count: signatures).joined(separator: ",")
        return
            #"{"v":1,"time":\#(time),"host":\#(text(host)),"listener":"inet:8891@127.0.0.1","configuration":"5f3a","#
            + #""id":\#(text(id)),"direction":"inbound","addresses":"full","client":{"ip":\#(text(ip)),"name":\#(text(name)),"#
            + #""helo":\#(text(helo)),"trusted":false,"authenticated":false,"login":null},"mail_from":\#(text(sender)),"#
            + #""rcpt_to":\#(list(recipients)),"refused_rcpt_to":\#(list(refused)),"unnamed_rcpt_to":0,"#
            + #""deferred_rcpt_to":[],"rcpt_stage":null,"message_id":"x@example.com","octets":5123,"#
            + #""author":{"domains":[\#(text(author))],"count":1,"reading":"readable"},"#
            + #""spf":{"result":"\#(spf)","domain":"example.com","mechanism":"mx","explanation":null,"problem":null},"#
            + #""spf_helo":null,"sender_id":null,"dkim":[\#(dkim)],"#
            + #""dmarc":{"result":"\#(dmarc)","from":"example.com","domain":\#(text(policyDomain)),"organizational":\#(text(organizational)),"#
            + #""method":"treewalk","published":"reject","effective":"reject","tags":\#(tags),"rua":\#(list(rua)),"ruf":[],"aligned":[],"#
            + #""problem":null},"iprev":null,"facts":null,"verdict":{"mode":"enforce","action":"\#(action)","stage":"eom","#
            + #""rule":\#(rule),"reply":null,"would":\#(would),"marks":[],"exempted":[],"trial":[\#(trial)],"#
            + #""undecided":[],"refused":[],"partial":null,"removed":0},"signed":[],"unsigned":null,"problem":null,"#
            + #""dns":{"lookups":1,"cached":0,"starved":0,"answers":\#(answers ?? "null")},"ms":12}"#
    }

    private var tags: String {
        guard !rua.isEmpty else { return "null" }
        return #"{"p":\#(text(policy)),"sp":null,"np":null,"adkim":"r","aspf":"r","fo":"0","t":"n","psd":"u"}"#
    }

    private func list(_ texts: [String]) -> String { "[\(texts.map(text).joined(separator: ","))]" }

    /// A JSON string.
    private func text(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar -> String in
            if scalar == "\"" || scalar == "\\" { return "\\\(scalar)" }
            guard scalar.value < 0x20 else { return String(scalar) }
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"\(escaped.joined())\""
    }
}
