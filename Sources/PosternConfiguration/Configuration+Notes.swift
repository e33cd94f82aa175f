internal import MailAuthentication
internal import Policy

extension Configuration {
    /// Facts that are not problems, but good to know before the daemon is connected to a mail server.
    public var notes: [String] {
        var notes = emptyLists.map { "the list \($0) names nobody yet: conditions with it alone never hold" }
        if let zone = dns.zone { notes.append("answers come from the file \(zone), none from the DNS (dns.zone)") }
        if mode == .observe, headers.removeForged {
            let name = authservID.map { "\"\($0)\"" } ?? "this host's name"
            notes.append(
                "Authentication-Results that come with \(name) are removed in observe mode too: on trial beside a filter "
                    + "that stamps under that name, use another authserv_id"
            )
        }
        if sealing.signing != nil, !checks.arc.enabled, line(of: "checks.arc") == 0 {
            notes.append("the seals of others are checked (checks.arc), for [sealing] needs it")
        }
        return notes
    }
}
