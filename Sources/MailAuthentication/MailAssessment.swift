public import ARC
public import DKIM
public import DMARC
public import MailSyntax
internal import Policy
public import ReverseDNS
public import SPF
public import SenderID

/// The results of all checks of a message; nil for a check that was not made.
public struct MailAssessment: Sendable {
    /// SPF of the MAIL FROM identity.
    public var spf: SPFOutcome?
    /// SPF of the HELO identity.
    public var helo: SPFOutcome?
    /// Sender ID of the purported responsible address.
    public var senderID: SenderIDOutcome?
    /// The result of each signature, top-down; empty for a message without signatures.
    public var dkim: [DKIMOutcome]?
    /// DMARC of the author's domain.
    public var dmarc: DMARCOutcome?
    /// The chain of ARC seals.
    public var arc: ARCOutcome?
    /// The client's name.
    public var iprev: ReverseNameOutcome?
    /// The purported responsible address, empty for a message without such an address; nil before its header is known.
    public var purportedAddress: String?
    /// The mailing list that the message names; nil without a List-Id field, and before the header is known.
    public var list: MailingList?
    /// The domains, of those that rules ask about, that permit the client; nil when not known.
    public var permits: ClientPermits?
    /// The author that the message names; nil before its header is known.
    public var author: AuthorIdentity?

    /// An assessment without results.
    public init() {}
}

extension MailAssessment {
    /// The result of the best signature for all of them, `none` without signatures; nil if they were not checked.
    var signatureResult: ResultWord? {
        dkim.map { _ in bestSignatureResult.map { ResultWord($0) } ?? ResultWord.none }
    }

    /// The result of each check; nil for a check that was not made.
    var results: PerCheck<ResultWord?> {
        PerCheck { check in
            switch check {
            case .spf: spf.map { ResultWord($0.result) }
            case .spfHelo: helo.map { ResultWord($0.result) }
            case .senderID: senderID.map { ResultWord($0.result) }
            case .dkim: signatureResult
            // By its result, because the outcome is expensive to copy.
            case .dmarc: (dmarc?.result).map { ResultWord($0) }
            case .arc: arc.map { ResultWord($0.result) }
            case .iprev: iprev.map { ResultWord($0.result) }
            }
        }
    }
}

extension ResultWord {
    /// The word for a result of SPF or Sender ID.
    init(_ result: SPFResult) {
        self =
            switch result {
            case .none: .none
            case .neutral: .neutral
            case .pass: .pass
            case .fail: .fail
            case .softfail: .softfail
            case .temperror: .temperror
            case .permerror: .permerror
            }
    }

    /// The word for a signature's result.
    init(_ result: DKIMResult) {
        self =
            switch result {
            case .none: .none
            case .pass: .pass
            case .fail: .fail
            case .policy: .policy
            case .neutral: .neutral
            case .temperror: .temperror
            case .permerror: .permerror
            }
    }

    /// The word for DMARC's result.
    init(_ result: DMARCResult) {
        self =
            switch result {
            case .none: .none
            case .pass: .pass
            case .fail: .fail
            case .temperror: .temperror
            case .permerror: .permerror
            }
    }

    /// The word for the result of a chain.
    init(_ result: ARCResult) {
        self =
            switch result {
            case .none: .none
            case .pass: .pass
            case .fail: .fail
            case .temperror: .temperror
            }
    }

    /// The word for the result about the client's name.
    init(_ result: ReverseNameResult) {
        self =
            switch result {
            case .pass: .pass
            case .fail: .fail
            case .temperror: .temperror
            case .permerror: .permerror
            }
    }
}
