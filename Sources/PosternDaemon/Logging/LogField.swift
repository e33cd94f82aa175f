/// The fields of a log line about a message besides the results of the checks, in their order; postern(8), LOG, explains
/// each field.
enum LogField: String, CaseIterable {
    case action
    case would
    case relayed
    case rule
    case stage
    case client
    case relay
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
    case pra
    case author
    case reading
    case dkimDomain = "dkim_d"
    case dkimSelector = "dkim_s"
    case aligned
    case policy
    case published
    case arcSealer = "arc_sealer"
    case sealed
    case sealInstance = "i"
    case sealStatus = "cv"
    case unsealed
    case dns
    case ms
    case marks
    case exempted
    case trial
    case excused
    case undecided
    case mixed
    case problem
    case removed
    case warning
}
