internal import MailAuthentication
internal import Policy

extension Configuration {
    /// Facts that are not problems, but good to know before the daemon is connected to a mail server.
    public var notes: [String] {
        guard mode == .observe, headers.removeForged else { return [] }
        let name = authservID.map { "\"\($0)\"" } ?? "this host's name"
        return [
            "Authentication-Results that come with \(name) are removed in observe mode too: on trial beside a filter "
                + "that stamps under that name, use another authserv_id"
        ]
    }
}
