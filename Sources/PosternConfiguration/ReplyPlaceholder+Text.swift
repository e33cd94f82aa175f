internal import Policy

extension ReplyPlaceholder {
    /// The text that replaces it, for the sample and the manual.
    var text: String {
        switch self {
        case .result(let check): check.replyText
        case .fact(.explanation):
            "What the domain that fails says of it (RFC 7208 section 6.2), always in quotes and cut at 200 octets; where it "
                + "says nothing, that the client is not permitted to send its mail. Where the rule asks for sender_id "
                + "and not for spf, it is that of the responsible address."
        case .fact(.client): "The client's address."
        case .fact(.helo): "The name of HELO or EHLO."
        case .fact(.sender): "The address of MAIL FROM, in angle brackets."
        case .fact(.domain): "The domain of MAIL FROM; the name of HELO where MAIL FROM is empty."
        case .fact(.pra): "The purported responsible address."
        case .fact(.from): "The domain of the author, or of the first of them."
        case .fact(.recipient):
            "The recipient, in angle brackets; at the end of the message, the first of those for whom the rule matches."
        case .fact(.rule): "The rule's name."
        }
    }
}
