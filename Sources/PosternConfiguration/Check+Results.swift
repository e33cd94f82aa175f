package import Policy

// What the author of a rule must know about the result of each check.

extension Check {
    /// The meaning of the result, for the sample and the manual.
    var text: String {
        switch self {
        case .spf:
            "The SPF result of MAIL FROM; of HELO where that is empty. The sender chooses the domain, its owner the result: "
                + "anybody can pass with a domain of his own."
        case .spfHelo: "The SPF result of the HELO name, which the client chooses."
        case .senderID:
            "The Sender ID result of the purported responsible address. The sender chooses the address: a Sender field of "
                + "his own domain passes, two are \"permerror\"."
        case .dkim:
            "The result of the best DKIM signature. The sender chooses the word: a signature of any domain can be \"pass\", "
                + "and a broken one whatever he likes. Here and below, a signature by a key in testing mode (t=y) is not there."
        case .dmarc:
            "The DMARC result. Only the author's domain can have it \"pass\" or \"fail\"; a From that cannot be read is "
                + "\"permerror\", and that is the sender's choice."
        case .arc:
            "The result of the chain of ARC seals. Whoever forwards the message can make it \"pass\" with a domain of his own, "
                + "and break it or take it off."
        case .iprev:
            "Whether the client's address has a name that leads back to it: \"fail\" where its names lead elsewhere, "
                + "\"permerror\" where it has none. Who owns the address chooses, so name both: "
                + "iprev = [\"fail\", \"permerror\"]."
        }
    }

    /// The text that replaces its placeholder in a reply, for the sample and the manual.
    var replyText: String {
        switch self {
        case .spf, .spfHelo: "The SPF result of MAIL FROM."
        case .senderID: "The Sender ID result."
        case .dkim: "The result of the best DKIM signature."
        case .dmarc: "The DMARC result."
        case .arc: "The result of the chain of ARC seals."
        case .iprev: "Whether the client's address has a name that leads back to it."
        }
    }

    /// The possible results of the check.
    package var words: [ResultWord] {
        switch self {
        case .spf, .spfHelo, .senderID: [.pass, .fail, .softfail, .neutral, .none, .temperror, .permerror]
        case .dkim: [.pass, .fail, .policy, .neutral, .none, .temperror, .permerror]
        case .arc: [.pass, .fail, .none, .temperror]
        case .dmarc, .iprev: [.pass, .fail, .none, .temperror, .permerror]
        }
    }

    /// The results that mean "nobody vouches": a rule with one of them must list the others too.
    var inviting: [ResultWord] {
        switch self {
        // The result depends on the way in which the signature is broken.
        case .dkim: [.none, .fail, .policy, .neutral, .permerror]
        // The domain's owner chooses between fail and softfail, and the sender chooses between that domain and another.
        case .dmarc, .spf, .spfHelo, .senderID, .arc: [.none]
        // The result for an address without a name is permerror.
        case .iprev: [.fail]
        }
    }

    /// The results that vouch for nobody and that a sender can bring about.
    var vouchingForNothing: [ResultWord] {
        switch self {
        case .dkim, .arc: words.filter { $0 != .pass }
        case .iprev: [.permerror]
        case .spf, .spfHelo, .senderID, .dmarc: [.permerror, .temperror]
        }
    }

    /// Whether the check concerns the author: every author can make it pass with their own domain.
    ///
    /// Every sender can make any other check pass.
    var isAboutAuthor: Bool {
        switch self {
        case .dmarc: true
        case .spf, .spfHelo, .senderID, .dkim, .arc, .iprev: false
        }
    }
}
