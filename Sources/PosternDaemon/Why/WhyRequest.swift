internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternConfiguration

/// Which messages somebody asks about, and how they are told.
///
/// `/why/ID` and `/why/replay/ID` name a queue ID; `/why` and `/why/replay` do not. The query may have `client`, an address or
/// a network, `from`, an address, a domain or nothing for the null sender, `last`, how many at most, and `format=json`.
struct WhyRequest: Sendable {
    /// How many messages are told when nobody says.
    private static let usual = 10

    /// Of whom the messages are.
    private enum Sender {
        case nobody
        case among(AddressSet)
    }

    /// Whether they are judged again by the present configuration.
    let isReplay: Bool
    /// Whether they are told as JSON.
    let isJSON: Bool
    /// How many are told at most.
    let most: Int
    private let queueID: String?
    private let client: IPNetwork?
    private let sender: Sender?

    /// What a request asks; nil when it makes no sense.
    init?(_ request: AdminRequest) {
        var path = request.path.split(separator: "/").dropFirst()
        isReplay = path.first == "replay"
        if isReplay { path = path.dropFirst() }
        guard path.count <= 1 else { return nil }
        queueID = path.first.map { String($0) }
        isJSON = request.query["format"] == "json"
        most = request.query["last"].flatMap { Int($0) } ?? (queueID == nil ? Self.usual : .max)
        client = request.query["client"].flatMap { IPNetwork($0)?.canonical }
        sender = request.query["from"].flatMap { Self.sender($0) }
        let isRead = most > 0 && (client == nil) == (request.query["client"] == nil)
        guard isRead, (sender == nil) == (request.query["from"] == nil) else { return nil }
    }

    private static func sender(_ text: String) -> Sender? {
        guard !text.isEmpty else { return .nobody }
        var set = AddressSet()
        return (try? set.insert(text.contains("@") ? text : "@" + text)).map { .among(set) }
    }

    /// Whether this message is one of them.
    func wants(_ message: RememberedMessage) -> Bool {
        let envelope = message.judgement.envelope
        if let queueID, queueID != message.queueID { return false }
        if let client {
            guard let address = envelope.clientAddress, client.contains(address) else { return false }
        }
        switch sender {
        case nil: return true
        case .nobody: return envelope.sender.isEmpty
        case .among(let set): return set.contains(MailAddress(envelope.sender[...]))
        }
    }

    /// What is said when there is none.
    func refusal(capacity: Int) -> String {
        let isAboutAll = client == nil && sender == nil
        let what =
            queueID.map { "no message \($0) is remembered" }
            ?? (isAboutAll ? "no message is remembered yet" : "no such message is remembered")
        return what
            + "; not kept are messages that nothing was found against, and mail of your own; of the others the last "
            + "\(capacity) are ([why] history)\n"
    }
}
