internal import EventSpool
internal import MailEvents

// What the filter hands to the ledger, and what the ledger keeps.

extension Configuration.Events {
    static let settings: [Setting<Self>] = [
        Setting(
            "spool",
            \.spool,
            .path,
            """
            The directory through which events go to the ledger. Without the directory none are written; the package \
            postern-ledger makes the default one.
            """
        ),
        Setting(
            "host",
            \.host,
            .optional(.segmentHost),
            example: "\"mx1\"",
            "The name of this host in the names of segments. Default: the machine id."
        ),
        Setting(
            "addresses",
            \.addresses,
            .word,
            """
            Whether events have whole addresses. "domains": local parts, logins and Message-IDs are left out; then nobody \
            can search for an address, and rules about single addresses cannot be tried on stored mail.
            """
        ),
        Setting(
            "answers",
            \.answers,
            .word,
            """
            Which messages have their DNS answers in their events, for "postern why". "unclean": those that are no clean \
            pass.
            """
        ),
        Setting(
            "limit",
            \.limit,
            .size((8 << 20)...(1 << 40)),
            "How much the directory may hold while the ledger is away. Beyond that the oldest segments go, and are counted."
        ),
    ]
}

extension Configuration.Ledger {
    /// A hundred years: whatever is longer means for ever.
    private static let longest = Duration.seconds(36_500 * 86_400)

    static let settings: [Setting<Self>] = [
        Setting("store", \.store, .path, "The SQLite database of postern-ledger(8)."),
        Setting("keep", \.keep, .duration(.seconds(3600)...longest), "How long messages are kept."),
        Setting(
            "keep_answers",
            \.keepAnswers,
            .duration(.zero...longest),
            "How long the DNS answers of messages are kept."
        ),
        Setting(
            "max_bytes",
            \.maximumOctets,
            .size((64 << 20)...(1 << 44)),
            """
            How large the store may become. Beyond that the oldest messages go; "postern ledger status" says how many days \
            fit. What DMARC reports tell may take a fourth of it.
            """
        ),
    ]
}

extension ValueType where Value == String {
    /// The host in the name of a segment.
    fileprivate static let segmentHost = ValueType.string(
        "name",
        accepted: "letters, digits, dots, hyphens and underscores, such as \"mx1\"",
        write: { $0 },
        parse: { SegmentName.isHost($0) ? $0 : nil }
    )
}
