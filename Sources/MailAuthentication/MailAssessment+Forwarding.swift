internal import DKIM
internal import DMARC
package import Policy
internal import SPF

// How the message came here.

extension MailAssessment {
    /// Whether SPF passes by a term that nearly every client matches.
    package var spfOpen: Truth {
        guard let spf else { return .unknown }
        return spf.result == .temperror ? .unanswered : Truth(spf.isOpen)
    }

    /// Whether the message came by a forwarder: the client may not send for the domain of MAIL FROM, and the author's
    /// domain has signed.
    ///
    /// A signature that is broken counts if undoing a change that is known would mend it. Who made the change is not
    /// known: it proves where the message began, and nothing about what was added.
    package var forwarded: Truth {
        guard let spf, dkim != nil, dmarc?.result != nil else { return .unknown }
        switch spf.result {
        case .fail, .softfail: return isSignedByAuthor
        // Without an answer, the signature can still say that there was nothing to forward.
        case .temperror: return isSignedByAuthor == .no ? .no : .unanswered
        case .pass, .neutral, .none, .permerror: return .no
        }
    }

    /// Whether the author's domain has signed the message, or one that became it by a known change.
    private var isSignedByAuthor: Truth {
        guard let dkim else { return .unknown }
        // By index, because an outcome is expensive to copy.
        for index in dkim.indices where !dkim[index].testing && dkim[index].result.mayHold {
            guard dkim[index].result == .pass || dkim[index].isExplained else { continue }
            if alignment(ofSignature: index) != nil { return .yes }
        }
        return countedSignatures.aligned == .temperror ? .unanswered : .no
    }
}

extension DKIMResult {
    /// Whether a signature with this result may hold for the message as it was signed.
    fileprivate var mayHold: Bool { self == .pass || self == .fail }
}
