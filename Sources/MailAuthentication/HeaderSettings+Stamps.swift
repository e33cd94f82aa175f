internal import AuthenticationResults
public import MailSyntax

extension HeaderSettings {
    /// Whether this host has judged a message before and found it to be of this author's domain, as its fields tell.
    ///
    /// Only mail from outside is judged. When it comes again from an address of our own, a content filter or a forwarding
    /// brings it. A list that has put itself into From is another author.
    public func haveJudged(_ headers: HeaderBlock, author: DomainName) -> Bool {
        guard authenticationResults else {
            return headers.indices.contains { position in
                headers.hasName("X-SID-Result", at: position) || headers.hasName("X-DKIM-Result", at: position)
                    || headers.hasName("X-AUTH-Result", at: position)
            }
        }
        // One for all fields: it bounds what they cost together.
        var service = ServiceName(authservID)
        return headers.indices.contains { position in
            guard headers.hasName("Authentication-Results", at: position) else { return false }
            let value = headers[position].value
            return !AuthenticationResultsField.isPlainlyOfAnother(than: authservID, value: value)
                && service.isClaimed(by: value) && Self.mayTell(value, of: author)
        }
    }

    /// Whether the results are of a message by this author, or do not say by whom.
    private static func mayTell(_ value: Octets, of author: DomainName) -> Bool {
        guard let field = try? AuthenticationResultsField(parsing: value) else { return true }
        let properties = field.results.lazy.filter { $0.method == "dmarc" }.flatMap(\.properties)
        let domains = properties.filter { $0.type == "header" && $0.name == "from" }.map(\.value)
        return domains.isEmpty || domains.contains { (try? DomainName(unicode: $0)) == author }
    }
}
