public import DKIM
public import Policy
public import SPF

// Everything that can be set about checks: the options with their defaults, then each setting with its text.

extension Configuration {
    /// The settings of the checks.
    public struct Checks: Sendable, Equatable {
        /// How long RCPT may wait for an answer that can decide about the recipient.
        public var earlyWait = Duration.seconds(2)
        /// SPF.
        public var spf = SPF()
        /// Sender ID.
        public var senderID = SenderID()
        /// DKIM.
        public var dkim = DKIM()
        /// DMARC.
        public var dmarc = DMARC()
        /// ARC.
        public var arc = ARC()
        /// Reverse DNS.
        public var iprev = IPRev()

        /// Settings of SPF.
        public struct SPF: Sendable, Equatable {
            /// Whether the check is made.
            public var enabled = true
            /// How records are evaluated; the evaluating host is named by the host name.
            public var options = SPFOptions()
        }

        /// Settings of Sender ID.
        public struct SenderID: Sendable, Equatable {
            /// Whether the check is made.
            public var enabled = true
        }

        /// Settings of DKIM verification.
        public struct DKIM: Sendable, Equatable {
            /// Whether the check is made.
            public var enabled = true
            /// How signatures are verified.
            public var options = DKIMVerificationOptions()
        }

        /// Settings of DMARC.
        public struct DMARC: Sendable, Equatable {
            /// Whether the check is made.
            public var enabled = true
            /// How to find out whether two domains have the same organizational domain.
            public enum OrganizationalDomain: String, CaseIterable, Sendable {
                /// The tree walk of RFC 9989 alone.
                case walk
                /// The tree walk, or the public suffix list.
                case walkAndList = "walk+list"
            }

            /// How to find out whether two domains have the same organizational domain.
            public var organizationalDomain = OrganizationalDomain.walk
        }

        /// Settings of ARC.
        public struct ARC: Sendable, Equatable {
            /// Whether the check is made.
            public var enabled = false
        }

        /// Settings of the reverse DNS check.
        public struct IPRev: Sendable, Equatable {
            /// Whether the check is made.
            public var enabled = true
        }
    }

    /// Whether a check is enabled.
    public func isMade(_ check: Check) -> Bool {
        switch check {
        case .spf, .spfHelo: checks.spf.enabled
        case .senderID: checks.senderID.enabled
        case .dkim: checks.dkim.enabled
        case .dmarc: checks.dmarc.enabled
        // RFC 8617 § 5.1: a seal says what became of the chain before it.
        case .arc: checks.arc.enabled || sealing.signing != nil
        case .iprev: checks.iprev.enabled
        }
    }
}

extension Configuration.Checks {
    static let settings: [Setting<Self>] = [
        Setting(
            "early_wait",
            \.earlyWait,
            .duration(.zero...(.seconds(8))),
            """
            How long the answers to RCPT TO may wait for SPF or reverse DNS when a rule could then refuse a recipient; all \
            recipients of a message share this time. What is not known by then is decided at the end of the message. Sendmail itself waits ten \
            seconds.
            """
        ),
        .check("spf", \.spf, SPF.settings, "SPF (RFC 7208) of MAIL FROM and HELO."),
        .check(
            "sender_id",
            \.senderID,
            SenderID.settings,
            "Sender ID (RFC 4406) of the purported responsible address."
        ),
        .check("dkim", \.dkim, DKIM.settings, "DKIM (RFC 6376) signatures."),
        .check(
            "dmarc",
            \.dmarc,
            DMARC.settings,
            """
            DMARC (RFC 9989) of the author's domain. The tag pct=, by which older records (RFC 7489) asked for a part of \
            their mail only, is ignored, as RFC 9989 no longer has it.
            """
        ),
        .check(
            "arc",
            \.arc,
            ARC.settings,
            """
            ARC (RFC 8617): the seals that servers put on a message which they forward. Only the seal of a server that you \
            trust says anything: see arc_sealers below, and postern-cases(7). Keys and clocks are as in [checks.dkim].
            """
        ),
        .check(
            "iprev",
            \.iprev,
            IPRev.settings,
            "Whether the client's address has a name that leads back to it (RFC 8601 section 3)."
        ),
    ]
}

extension Configuration.Checks.SPF: CheckSettings {
    static let settings: [Setting<Self>] = [
        .enabled,
        Setting(
            "void_lookups",
            \.options.maximumVoidLookups,
            .count(0...10),
            "How many terms of a record may find nothing before the result is permerror (RFC 7208 section 4.6.4)."
        ),
        Setting(
            "maximum_queries",
            \.options.maximumQueries,
            .count(1...1000),
            "How many DNS queries one evaluation may cause in all, more than the RFC's own limits allow. Beyond: permerror."
        ),
    ]
}

extension Configuration.Checks.SenderID: CheckSettings {
    static let settings: [Setting<Self>] = [
        .enabled
    ]
}

extension Configuration.Checks.DKIM: CheckSettings {
    static let settings: [Setting<Self>] = [
        .enabled,
        Setting(
            "maximum_signatures",
            \.options.maximumSignatures,
            .count(1...100),
            "How many signatures of a message are examined, from the top. All others together are one \"policy\"."
        ),
        Setting(
            "minimum_bits",
            \.options.minimumBits,
            .count(1024...4096),
            "A signature by an RSA key with fewer bits does not pass. Below 1024 none ever does (RFC 8301)."
        ),
        Setting(
            "maximum_bits",
            \.options.maximumBits,
            .count(4096...8192),
            """
            A signature by an RSA key with more bits does not pass, because its sender decides what verifying it costs: \
            with 8192 bits, four times as much as with 4096, up to which RFC 8301 has everybody verify.
            """
        ),
        Setting(
            "clock_skew",
            \.options.clockSkew,
            .seconds(.zero...(.seconds(86_400))),
            "How far a signature's times (t=, x=) may be off."
        ),
        Setting(
            "unsigned_body",
            \.options.unsignedBody,
            .word,
            """
            What a signature gives whose l= leaves the end of the body unsigned: "policy", because anybody can have \
            added to it, or "pass".
            """
        ),
    ]
}

extension Configuration.Checks.DMARC: CheckSettings {
    static let settings: [Setting<Self>] = [
        .enabled,
        Setting(
            "organizational_domain",
            \.organizationalDomain,
            .word,
            """
            What says whether a domain that vouches belongs to the author's. "walk": the DNS, as RFC 9989 section 4.10 \
            has it. "walk+list": either that or the public suffix list (RFC 7489), for mail of those who publish a \
            record for a subdomain alone and sign by another. "postern check" says where the two differ.
            """
        ),
    ]
}

extension Configuration.Checks.ARC: CheckSettings {
    static let settings: [Setting<Self>] = [.enabled]
}

extension Configuration.Checks.IPRev: CheckSettings {
    static let settings: [Setting<Self>] = [.enabled]
}
