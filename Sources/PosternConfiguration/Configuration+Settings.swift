internal import DKIM
internal import DNSResolver
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import TOML

// Each setting is declared once: name, option, type, text. The defaults are the initial values of the structures.

extension Configuration {
    /// The settings of the whole file, in the order of the sample.
    static let settings: [Setting<Configuration>] = [
        Setting(
            "authserv_id",
            \.authservID,
            .optional(.authservID),
            example: "\"mx.example.org\"",
            """
            The name of this host in Authentication-Results. All hosts that read each other's results use the same one; \
            on trial beside another filter, use one that the other does not. Default: what the MTA calls itself ({j}), \
            else the host name.
            """
        ),
        Setting(
            "mode",
            \.mode,
            .word,
            """
            What becomes of the rules' decisions. "observe": every message is accepted and stamped, and the log says \
            would=... where a rule would have acted. "enforce": the rules act.
            """
        ),
        Setting(
            "mixed",
            \.mixed,
            .word,
            """
            What becomes of a message that the rules would refuse for some of its recipients only; after its end all \
            get it or none. "junk": all get it, flagged. "defer": it is answered 451, and when it comes again each \
            kind of recipient is taken apart from the others, so that each meets its own rule; mail that no rule \
            refuses is never delayed. "accept": all get it, as if no rule had refused it.
            """
        ),
        .tables(
            "listen",
            \.listen,
            each: Listen.init(position:),
            Listen.settings,
            "A socket that MTAs connect to. Repeat the table for each socket."
        ),
        .table("trust", \.trust, Trust.settings, "Mail of our own: it is not judged, and it may be signed."),
        .table("dns", \.dns, DNS.settings, "How names are looked up."),
        .table(
            "checks",
            \.checks,
            Checks.settings,
            """
            What is checked. A check is switched off by "enabled = false" in its table, or in one line here, as \
            "iprev = false", instead of the table.
            """
        ),
        .table("headers", \.headers, HeaderSettings.settings, "What is stamped on messages, and what is taken off."),
        .tables(
            "rules",
            \.ruleDrafts,
            each: RuleDraft.init(position:),
            RuleDraft.settings,
            "A rule. The first that matches decides; a message that none matches is accepted."
        ),
        .tables(
            "trusted_forwarders",
            \.trustedForwarders,
            each: Forwarder.init(position:),
            Forwarder.settings,
            """
            A server that passes on mail which it did not write, and that you trust not to pass on forgeries: a rule with a \
            condition on DMARC (dmarc, dmarc_policy, dmarc_published in its "when") does not match what fails DMARC and \
            comes by it, and the log says excused=trusted_forwarder/NAME. Other rules, and exemptions, see what DMARC \
            found. One of clients, names and sealers is needed, and one match is enough.
            """
        ),
        .tables(
            "signing",
            \.signing,
            each: { Signing(location: PolicyLocation(file: "", line: $0.line)) },
            Signing.settings,
            "A domain that outgoing mail is signed for, by the domain of From."
        ),
        .table(
            "sealing",
            \.sealing,
            Sealing.settings,
            """
            The ARC seal (RFC 8617) of judged mail that this host may forward. Off until domain, selector and key are set; \
            then checks.arc is on as well. A message is not sealed that a rule refuses or discards, or would. See \
            postern-cases(7).
            """
        ),
        .table("log", \.log, Log.settings, "The log: one line a message."),
        .table("admin", \.admin, Admin.settings, "Metrics, health and control."),
        .table("limits", \.limits, Limits.settings, "What one message and one connection may take."),
        .table("why", \.why, Why.settings, "What is remembered for \"postern why\"."),
        .table("events", \.events, Events.settings, "What the filter writes of each message for the ledger."),
        .table("ledger", \.ledger, Ledger.settings, "What postern-ledger(8) keeps of these events."),
        .table(
            "reports",
            \.reports,
            Reports.settings,
            """
            DMARC reports (RFC 9990), which postern-ledger(8) sends to the owners of domains. None are sent before both \
            organization and address are set.
            """
        ),
    ]
}

extension Configuration.Listen {
    static let settings: [Setting<Self>] = [
        Setting(
            "socket",
            \.socket,
            .listenSocket,
            """
            Where to listen: "inet:PORT@ADDRESS" or "inet6:PORT@ADDRESS", "unix:PATH", or "systemd:NAME" for a socket \
            that systemd has opened. Postfix calls the default inet:127.0.0.1:8891. It reaches no unix socket outside \
            of its chroot, which on Debian is /var/spool/postfix: see postern(8).
            """
        ),
        Setting("mode", \.mode, .fileMode, "The access mode of a unix socket. The MTA must be able to write to it."),
        Setting(
            "group",
            \.group,
            .optional(.text()),
            example: "\"postfix\"",
            "The group of a unix socket; the daemon can only give it to one of its own groups, or to the directory's."
        ),
        Setting(
            "role",
            \.role,
            .word,
            """
            "inbound": judge all mail that comes here. "outbound": sign it. "auto": sign what trusted clients send, \
            judge the rest.
            """
        ),
        Setting(
            "max_connections",
            \.maximumConnections,
            .count(1...1_000_000),
            "How many connections there may be at once. Further ones are told to come back later."
        ),
    ]
}

extension Configuration.Trust {
    static let settings: [Setting<Self>] = [
        Setting(
            "networks",
            \.networks,
            .list(.network),
            """
            Clients in these networks; a process on this host that connects without an address always is one. A host that \
            passes on mail from outside does not belong here: what it passes on in our name would be signed.
            """
        ),
        Setting(
            "skip",
            \.skip,
            .list(.network),
            """
            Clients whose mail is passed by, neither judged nor stamped nor signed, whatever the socket: a host that \
            judges by itself, the address that a container's bridge gives to everybody. A login from there is still a \
            login.
            """
        ),
        Setting(
            "authenticated",
            \.authenticated,
            .flag,
            "Whether clients that have authenticated are trusted: those for which the MTA sends {auth_authen} or {auth_type}."
        ),
        .table(
            "relays",
            \.relays,
            Configuration.Trust.Relays.settings,
            """
            Hosts of our own that pass on mail from outside, such as a backup MX or a gateway. Their mail is judged by the \
            client from which they had it, and never signed: see "behind a relay" in postern-cases(7).
            """
        ),
    ]
}

extension Configuration.Trust.Relays {
    static let settings: [Setting<Self>] = [
        Setting(
            "networks",
            \.networks,
            .list(.network),
            """
            The addresses of the hosts. They belong neither into networks nor into skip above. A host for which the MTA tells \
            the true client by itself (Postfix: XCLIENT, PROXY) does not belong here.
            """
        ),
        Setting(
            "by",
            \.by,
            .list(.domain),
            """
            The names behind "by" in the Received fields that these hosts write. The fields are read from the top, through \
            up to five steps between hosts of our own and on loopback, to the first client from outside. Where a field is \
            by another name or cannot be read, the message is judged without its client, never refused for good, and the log \
            says why.
            """
        ),
        Setting(
            "results",
            \.results,
            .optional(.authservID),
            example: "\"gateway.example.org\"",
            """
            In place of "by": the authserv-id of the Authentication-Results field whose SPF result, and client where it is \
            named, count for mail of these hosts. For hosts that rewrite MAIL FROM. They must delete such fields from what \
            they receive (RFC 8601 section 5).
            """
        ),
        Setting(
            "refuse",
            \.refuse,
            .flag,
            """
            Whether "reject" and "discard" act on mail of these hosts, and max_header. A host that is refused here sends a \
            bounce to the sender, who may be forged; therefore such mail is flagged as "junk" does, and the log says \
            relayed=... Where the client is not known, rules never do more than flag.
            """
        ),
    ]
}

extension Configuration.DNS {
    static let settings: [Setting<Self>] = [
        Setting(
            "servers",
            \.options.servers,
            .list(.nameServer),
            "The name servers. Empty: those of /etc/resolv.conf. One on this host that validates is best."
        ),
        Setting(
            "zone",
            \.zone,
            .optional(.path),
            example: "\"/etc/postern/test.zone\"",
            "A zone file (RFC 1035) that answers every lookup, for tests and demonstrations. No server is asked, so servers must not be set."
        ),
        Setting(
            "timeout",
            \.options.timeout,
            .duration(.milliseconds(100)...(.seconds(60))),
            "How long one lookup may take in all, once there is room for it."
        ),
        Setting(
            "attempt_timeout",
            \.options.attemptTimeout,
            .duration(.milliseconds(50)...(.seconds(30))),
            "How long to wait for a server before the question is sent again; it doubles with each round."
        ),
        Setting("attempts", \.options.attempts, .count(1...20), "How many queries one lookup may send."),
        Setting(
            "max_in_flight",
            \.options.maximumInFlight,
            .count(1...100_000),
            """
            How many lookups may be unanswered at once; one that has been for attempt_timeout makes room, up to as many \
            again. Further ones wait in turns: no message gets its ninth before every other that waits has its eighth, and \
            names that end in the same two labels get one at a time while nobody answers for them. What waits until the \
            end of its message's time gives temperror.
            """
        ),
        .table("cache", \.cache, Cache.settings, "What is kept of answers."),
    ]
}

extension Configuration.DNS.Cache {
    private static let week = Duration.seconds(7 * 86_400)

    static let settings: [Setting<Self>] = [
        Setting(
            "max_entries",
            \.options.maximumEntries,
            .count(0...100_000_000),
            """
            How many answers are kept. The cache has up to 64 parts, and each keeps one answer in any case; only max_bytes = \
            "0B" switches the cache off. Changing anything in this table empties the cache at the next reload.
            """
        ),
        Setting("max_bytes", \.options.maximumBytes, .size(0...(1 << 40)), "How much memory they may take."),
        Setting(
            "min_ttl",
            \.options.minimumTTL,
            .duration(.zero...(.seconds(3600))),
            "An answer is kept at least this long, but no longer than the three limits below say."
        ),
        Setting("max_ttl", \.options.maximumTTL, .duration(.seconds(1)...week), "An answer is kept at most this long."),
        Setting(
            "negative_max_ttl",
            \.options.negativeMaximumTTL,
            .duration(.zero...week),
            "The answer that a name or a record does not exist is kept at most this long (RFC 2308)."
        ),
        Setting(
            "key_max_ttl",
            \.options.keyMaximumTTL,
            .duration(.zero...(.seconds(3600))),
            "A DKIM key is kept at most this long, so that a revoked one is soon forgotten."
        ),
        Setting(
            "serve_stale",
            \.options.serveStale,
            ValueType.duration(.zero...week).map({ $0 > .zero ? $0 : nil }, back: { $0 ?? .zero }),
            """
            How long past its end an answer may still serve while no server answers (RFC 8767). "0s": never. Keys \
            never do.
            """
        ),
        Setting(
            "refresh_ahead",
            \.options.refreshAhead,
            ValueType<Bool>.flag.map({ $0 ? CacheOptions().refreshAhead : 0 }, back: { $0 > 0 }),
            "Whether names in demand are asked for again shortly before they expire."
        ),
        Setting(
            "snapshot",
            \.snapshot,
            .optional(.path),
            example: "\"/var/lib/postern/cache\"",
            "A file that keeps the cache over a restart. It is written when the daemon is stopped, and not when it is killed."
        ),
    ]
}

extension HeaderSettings {
    static let settings: [Setting<Self>] = [
        Setting(
            "authentication_results",
            \.authenticationResults,
            .flag,
            """
            Authentication-Results (RFC 8601), with the results of all checks. SPF of HELO is in it only where MAIL FROM is \
            empty; spf_helo in the log has it always.
            """
        ),
        Setting("received_spf", \.receivedSPF, .flag, "Received-SPF (RFC 7208 section 9.1)."),
        Setting("sender_id", \.senderID, .flag, "X-SID-PRA and X-SID-Result."),
        Setting("dkim", \.dkim, .flag, "X-DKIM-Result."),
        Setting(
            "auth_result",
            \.authResult,
            .flag,
            "X-AUTH-Result: what all checks together say of the author's domain."
        ),
        Setting(
            "remove_forged",
            \.removeForged,
            .flag,
            """
            Whether fields from outside that pass for ours are removed, in observe mode too: Authentication-Results with \
            our name, the X- fields above, X-Received-Authentication-Results, Received-SPF where we write it, and the \
            field for junk. Switch it off only where another host in front of this one wrote them.
            """
        ),
        Setting(
            "remove_foreign",
            \.removeForeign,
            .flag,
            "Whether Authentication-Results of other hosts are removed as well. Needs remove_forged."
        ),
        Setting(
            "keep_removed",
            \.keepRemoved,
            .flag,
            """
            Whether removed Authentication-Results stay readable as X-Received-Authentication-Results, up to ten. Of the other \
            removed fields nothing is kept, nor of mail of our own.
            """
        ),
        Setting(
            "junk",
            \.junk,
            .junkField,
            """
            The field that the action "junk" adds, for the mailbox to sort by. A message that comes with one loses it; \
            a filter that writes the same field comes after this one.
            """
        ),
    ]
}

extension Configuration.Signing {
    static let settings: [Setting<Self>] = [
        Setting(
            "domain",
            \.domain,
            .oneDomain,
            example: "\"example.org\"",
            "The domain, d= of the signature. Either it or domains is required."
        ),
        Setting(
            "domains",
            \.domains,
            .domainList,
            example: "[\"example.org\", { file = \"/etc/postern/signed-domains\" }]",
            """
            In place of domain: several domains that sign with the same keys, each as d= of its own mail. A file has one \
            domain a line and is read again at each reload. Each domain publishes the record of each key.
            """
        ),
        Setting("subdomains", \.subdomains, .flag, "Whether authors at names below the domain are signed for too."),
        Setting(
            "keys",
            \.keys,
            .signingKeys,
            required: true,
            example: "[ { selector = \"2026r\", file = \"/etc/postern/keys/example.org_2026r.pem\" } ]",
            "The keys. Each makes one signature: RSA for everybody, Ed25519 beside it for those who know it."
        ),
        Setting(
            "canonicalization",
            \.options.canonicalization,
            .canonicalization,
            "Which changes on the way header and body survive."
        ),
        Setting(
            "headers",
            \.options.headers,
            .list(.fieldName),
            "The fields that are signed when they occur. From always is."
        ),
        Setting(
            "oversign",
            \.options.oversign,
            .list(.fieldName),
            """
            The fields that are signed once more than they occur, so that nobody can add another. Where there is none, \
            only From and Subject: other fields are added on the way.
            """
        ),
        Setting(
            "lifetime",
            \.options.lifetime,
            .optional(.seconds(.seconds(60)...(.seconds(366 * 86_400)))),
            example: "\"14d\"",
            "How long a signature is valid (x=). Without it, for ever."
        ),
        Setting(
            "identity",
            \.options.identity,
            .optional(.text(accepted: "an address or \"@\" and a domain, at or below the signing domain")),
            example: "\"@example.org\"",
            "The address on whose behalf the signature is made (i=)."
        ),
        Setting(
            "logins",
            \.logins,
            .optional(.list(.text(accepted: "a login name, in quotes"))),
            example: "[\"alice\", \"bob@example.org\"]",
            """
            The logins that may send for the domain, in the same case of letters. Mail of others is not signed, nor is that of \
            the trusted networks, because nobody has logged in there. Default: every login, and every client in the \
            trusted networks.
            """
        ),
    ]
}

extension Configuration.Log {
    static let settings: [Setting<Self>] = [
        Setting("destination", \.destination, .word, "Where the log goes."),
        Setting("facility", \.facility, .word, "The facility of syslog lines."),
        Setting("format", \.format, .word, "Whether a line is name=value text or a JSON object."),
        Setting("level", \.level, .word, "The least level that is logged. The line of a message is \"info\"."),
        Setting("socket", \.socket, .path, "The socket of the syslog daemon."),
    ]
}

extension Configuration.Admin {
    static let settings: [Setting<Self>] = [
        Setting(
            "listen",
            \.listen,
            .optional(.socketAddress(defaultPort: nil)),
            example: "\"127.0.0.1:8892\"",
            """
            Where /metrics, /healthz and /readyz are served; /readyz says 503 as well when no name server answers. Default: \
            nowhere. There is no access control.
            """
        ),
        Setting(
            "control",
            \.control,
            .socketPath,
            "The unix socket of \"postern status\", \"postern reload\" and \"postern why\"; \"\" for none."
        ),
    ]
}

extension Configuration.Limits {
    static let settings: [Setting<Self>] = [
        Setting(
            "timeout",
            \.timeout,
            .duration(.milliseconds(100)...(.seconds(240))),
            """
            How long the end of a message may wait for its checks. What is not known by then is temperror. MTAs \
            themselves wait five minutes.
            """
        ),
        Setting(
            "undecided",
            \.undecided,
            .word,
            """
            What becomes of a message in enforce mode when a rule that would keep it from its recipient hangs on a check \
            or an exemption that got no answer of the DNS, for whatever reason. "tempfail": it is refused for now (451 \
            4.4.3), unless another rule decides in any case or the author's domain has signed it. "accept": the rule does \
            not act, so that who can silence the DNS escapes it.
            """
        ),
        Setting(
            "idle_timeout",
            \.idleTimeout,
            .duration(.seconds(60)...(.seconds(7 * 86_400))),
            """
            How long a connection may be idle between two packets; it is closed within five minutes after that. MTAs keep \
            idle ones, so hours are right. One that does not begin within five minutes, or takes longer than that over one \
            packet, is closed too.
            """
        ),
        Setting(
            "drain_timeout",
            \.drainTimeout,
            .duration(.zero...(.seconds(600))),
            "How long a stop waits for messages that are under way."
        ),
        Setting(
            "max_packet",
            \.maximumPacketLength,
            .size((64 << 10)...(64 << 20)),
            "The longest packet that an MTA may send."
        ),
        Setting(
            "max_header",
            \.maximumHeaderOctets,
            .size((64 << 10)...(64 << 20)),
            """
            A message whose header is larger is refused (552 5.3.4); in observe mode it is accepted unstamped, without \
            the forged fields, and logged. Mail of our own is accepted unsigned, and mail of [trust.relays] is flagged as \
            "junk" does.
            """
        ),
        Setting(
            "max_held",
            \.maximumHeldOctets,
            .size((1 << 20)...(1 << 40)),
            """
            How much memory all messages in progress may take for their headers, recipients and unfinished packets, \
            beyond 16KiB each. A message for which there is none left is told to come back later (452 4.3.1), in \
            observe mode too.
            """
        ),
    ]
}

extension Configuration.Why {
    static let settings: [Setting<Self>] = [
        Setting(
            "history",
            \.history,
            .count(0...1_000_000),
            "How many verdicts other than a clean pass are remembered, with everything that led to them."
        )
    ]
}
