internal import Policy

extension ReplyPlaceholder {
    /// The text that replaces it, for the sample and the manual.
    var text: String {
        switch self {
        case .explanation:
            "What the domain that fails says of it (RFC 7208 section 6.2), always in quotes and cut at 200 octets, or that it "
                + "gives no explanation. Where the rule asks for sender_id and not for spf, it is that of the responsible address."
        case .client: "The client's address."
        case .helo: "The name of HELO or EHLO."
        case .sender: "The address of MAIL FROM, in angle brackets."
        case .domain: "The domain of MAIL FROM; the name of HELO where MAIL FROM is empty."
        case .pra: "The purported responsible address."
        case .from: "The domain of the author, or of the first of them."
        case .recipient:
            "The recipient, in angle brackets; at the end of the message, the first of those for whom the rule matches."
        case .rule: "The rule's name."
        case .spf: "The SPF result of MAIL FROM."
        case .senderID: "The Sender ID result."
        case .dkim: "The result of the best DKIM signature."
        case .dmarc: "The DMARC result."
        case .iprev: "Whether the client's address has a name that leads back to it."
        }
    }
}
