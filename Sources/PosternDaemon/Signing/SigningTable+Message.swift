internal import DKIM
internal import MailAuthentication
internal import MailSyntax
internal import PosternSetup

extension SigningTable {
    /// Begins to sign a message, or finds out why it is not signed; nil where nothing is signed at all.
    ///
    /// - Parameters:
    ///   - headers: the message's header fields.
    ///   - login: the client's login; nil when the client is trusted by its address.
    ///   - stamps: the fields in which this host reports its results; nil for a client that may not write them.
    ///   - now: the time.
    func begin(_ headers: HeaderBlock, login: [UInt8]?, stamps: HeaderSettings?, now: UnixTime) -> OutgoingMessage? {
        guard !isEmpty else { return nil }
        let author = AuthorIdentity(of: headers)
        // RFC 6376 § 5.1: sign only for a domain that the signer may sign for. With several authors the domain is
        // uncertain.
        guard author.fromCount == 1, let domain = author.authorDomain else {
            return OutgoingMessage(unsigned: "From does not name one author")
        }
        switch decision(author: domain, login: login?[...]) {
        case .foreignDomain: return OutgoingMessage(unsigned: "no [[signing]] table is for \(domain)")
        case .foreignLogin(let domain):
            let name = login.map { "login " + $0[...].text } ?? "a client without login"
            return OutgoingMessage(unsigned: "\(name) does not own \(domain)")
        case .sign(let entry):
            // Mail from outside that a content filter returns to us comes from an address of our own.
            if stamps?.haveJudged(headers, author: domain) == true {
                return OutgoingMessage(unsigned: "Authentication-Results of ours say that it came from outside")
            }
            return OutgoingMessage(headers, keys: entry.keys, options: entry.options, now: now)
        }
    }
}
