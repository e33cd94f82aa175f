internal import AuthenticationResults
public import MailSyntax

extension HeaderSettings {
    /// Whether the fields show that this host has already judged the message and found this author's domain.
    ///
    /// Only mail from outside is judged. If such a message arrives again from one of our own addresses, a content
    /// filter or a forwarding sent it. A mailing list that has put itself into From is another author.
    public func haveJudged(_ headers: HeaderBlock, author: DomainName) -> Bool {
        guard authenticationResults else {
            return headers.indices.contains { position in
                headers.hasName("X-SID-Result", at: position) || headers.hasName("X-DKIM-Result", at: position)
                    || headers.hasName("X-AUTH-Result", at: position)
            }
        }
        // One value for all fields, because it limits their total cost.
        var service = ServiceName(authservID)
        return headers.indices.contains { position in
            guard headers.hasName("Authentication-Results", at: position) else { return false }
            let value = headers[position].value
            return !AuthenticationResultsField.isPlainlyOfAnother(than: authservID, value: value)
                && service.isClaimed(by: value) && Self.mayTell(value, of: author)
        }
    }

    /// Whether the results concern a message by this author, or do not name an author.
    private static func mayTell(_ value: Octets, of author: DomainName) -> Bool {
        guard let field = try? AuthenticationResultsField(parsing: value) else { return true }
        let properties = field.results.lazy.filter { $0.method == "dmarc" }.flatMap(\.properties)
        let domains = properties.filter { $0.type == "header" && $0.name == "from" }.map(\.value)
        return domains.isEmpty || domains.contains { (try? DomainName(unicode: $0)) == author }
    }
}
