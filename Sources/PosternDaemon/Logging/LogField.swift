internal import Policy

/// The fields of a log line about a message, in their order; postern(8), LOG, explains each field.
enum LogField: String, CaseIterable {
    case action
    case would
    case rule
    case stage
    case client
    case helo
    case from
    case rcpts
    case rcpt
    case refused
    case refusedBy = "refused_by"
    case sentAway = "sent_away"
    case trusted
    case login
    case signed
    case unsigned
    case spf
    case spfHelo = "spf_helo"
    case senderID = "sender_id"
    case pra
    case author
    case reading
    case dkim
    case dkimDomain = "dkim_d"
    case dkimSelector = "dkim_s"
    case dmarc
    case aligned
    case policy
    case published
    case iprev
    case dns
    case ms
    case marks
    case exempted
    case trial
    case undecided
    case mixed
    case problem
    case removed
    case warning

    /// The field for the result of a check.
    init(_ check: Check) {
        switch check {
        case .spf: self = .spf
        case .spfHelo: self = .spfHelo
        case .senderID: self = .senderID
        case .dkim: self = .dkim
        case .dmarc: self = .dmarc
        case .iprev: self = .iprev
        }
    }
}
