/// What happened to one message, as one line of a segment tells it.
///
/// `Packaging/event.schema.json` describes the line. A reader ignores members that it does not know; a member that is
/// missing, or of another type, makes the line unreadable.
public struct MailEvent: Decodable, Sendable, Equatable {
    /// The version of the format.
    public static let version = 1

    /// Whether the message came from outside or is our own.
    public enum Direction: String, CaseIterable, Decodable, Sendable {
        /// It was judged, or would have been.
        case inbound
        /// It was signed, or might have been.
        case outbound
    }

    /// Which parts of addresses the event has.
    public enum Addresses: String, CaseIterable, Decodable, Sendable {
        /// Whole addresses.
        case full
        /// Domains alone, written `@example.org`; the null sender is still empty.
        case domains
    }

    /// The client.
    public struct Client: Decodable, Sendable, Equatable {
        /// Its address; nil for local mail, or when the MTA did not say.
        public var ip: String?
        /// Its first verified name.
        public var name: String?
        /// The argument of HELO or EHLO.
        public var helo: String
        /// Whether its address or its listener makes it one of our own.
        public var trusted: Bool
        /// Whether it has authenticated.
        public var authenticated: Bool
        /// Its login.
        public var login: String?
    }

    /// A relay of our own.
    public struct Relay: Decodable, Sendable, Equatable {
        /// Its address.
        public var ip: String
        /// Where the client comes from: `client` (Received fields), `results` (those of an upstream host), `unreadable`,
        /// `disguised` where the client has made it so, or `unread` for a message whose header was not read.
        public var state: String

        /// A relay.
        public init(ip: String, state: String) {
            self.ip = ip
            self.state = state
        }
    }

    /// The format's version: 1.
    public var v: Int
    /// When the message ended, in seconds since 1970, to the millisecond.
    public var time: Double
    /// The name of the host that judged it.
    public var host: String
    /// The listener that it came by, as the configuration writes it.
    public var listener: String
    /// The configuration that judged it: the hash that `postern status` shows.
    public var configuration: String
    /// The MTA's queue ID; nil when it had none yet.
    public var id: String?
    /// Whether it came from outside.
    public var direction: Direction
    /// Which parts of addresses the event has.
    public var addresses: Addresses
    /// The client.
    public var client: Client
    /// The relay of our own that passed it on from the client; nil where the client came here itself.
    public var relay: Relay?
    /// MAIL FROM; empty for the null sender.
    public var mailFrom: String
    /// The accepted recipients.
    public var rcptTo: [String]
    /// The recipients that rules refused before DATA.
    public var refusedRcptTo: [String]
    /// How many recipients are not named in the lists, for want of room.
    public var unnamedRcptTo: Int
    /// The recipients that were told to come in another transaction.
    public var deferredRcptTo: [String]
    /// What was known when the recipients were answered; nil where everything was, or nobody asked.
    public var rcptStage: RecipientStage?
    /// The Message-ID without its brackets.
    public var messageID: String?
    /// Whether a program sent it and said so, or it is a DMARC report; nil where it is not.
    public var autoSubmitted: Bool?
    /// The size of the message; nil when its body was not read.
    public var octets: Int?
    /// The author; nil before the header was read.
    public var author: Author?
    /// SPF of MAIL FROM; nil when it was not checked.
    public var spf: SPF?
    /// SPF of HELO; nil when it was not checked.
    public var spfHelo: SPF?
    /// Sender ID; nil when it was not checked.
    public var senderID: SenderID?
    /// The signatures from the top; nil when they were not checked.
    public var dkim: [Signature]?
    /// DMARC; nil when it was not checked.
    public var dmarc: DMARC?
    /// The chain of ARC seals; nil when it was not checked.
    public var arc: ARC?
    /// The client's name; nil when it was not checked.
    public var iprev: ReverseName?
    /// What rules ask about and no member above says; nil for mail that was not judged.
    public var facts: DerivedFacts?
    /// What was decided.
    public var verdict: Verdict
    /// The keys that signed it, as `domain/selector`.
    public var signed: [String]
    /// Why mail of our own was not signed.
    public var unsigned: String?
    /// The seal that was put on it (RFC 8617); nil where it was not sealed.
    public var sealed: Seal?
    /// What stood in the way of a judgement.
    public var problem: String?
    /// The lookups.
    public var dns: DNS
    /// How long the MTA waited, in milliseconds.
    public var ms: Int

    enum CodingKeys: String, CodingKey {
        case v, time, host, listener, configuration, id, direction, addresses, client, relay, author, spf, dkim, dmarc,
            arc
        case iprev, octets, facts, verdict, signed, unsigned, sealed, problem, dns, ms
        case mailFrom = "mail_from"
        case rcptTo = "rcpt_to"
        case refusedRcptTo = "refused_rcpt_to"
        case unnamedRcptTo = "unnamed_rcpt_to"
        case deferredRcptTo = "deferred_rcpt_to"
        case rcptStage = "rcpt_stage"
        case messageID = "message_id"
        case autoSubmitted = "auto_submitted"
        case spfHelo = "spf_helo"
        case senderID = "sender_id"
    }
}

/// What was known when recipients were answered, where it was not everything.
public struct RecipientStage: Decodable, Sendable, Equatable {
    /// Recipients who were answered with the same checks still open.
    public struct Early: Decodable, Sendable, Equatable {
        /// The checks whose results were known.
        public var known: [String]
        /// The places of these recipients in `rcpt_to`.
        public var rcptTo: [Int]
        /// The places of these recipients in `refused_rcpt_to`.
        public var refusedRcptTo: [Int]

        enum CodingKeys: String, CodingKey {
            case known
            case rcptTo = "rcpt_to"
            case refusedRcptTo = "refused_rcpt_to"
        }
    }

    /// Whether the MTA waited for answers to RCPT; if not, no recipient could be refused.
    public var answered: Bool
    /// Recipients who were answered before all checks of the envelope had ended.
    public var early: [Early]
    /// Why a message to mixed recipients could not be put off; nil when it could.
    public var obstacle: String?
}

// MARK: The checks

extension MailEvent {
    /// The author that From names.
    public struct Author: Decodable, Sendable, Equatable {
        /// The domains; if From cannot be read, all that a reader might take for the author's.
        public var domains: [String]
        /// The number of authors in all From fields.
        public var count: Int
        /// `readable`, `repaired` or `unreadable`.
        public var reading: String
    }

    /// SPF of one identity.
    public struct SPF: Decodable, Sendable, Equatable {
        /// The result word (RFC 8601 § 2.7).
        public var result: String
        /// The domain that was asked.
        public var domain: String?
        /// The mechanism that matched.
        public var mechanism: String?
        /// The domain's explanation of a fail.
        public var explanation: String?
        /// What is wrong, in words.
        public var problem: String?
    }

    /// Sender ID of the purported responsible address.
    public struct SenderID: Decodable, Sendable, Equatable {
        /// The result word (RFC 8601 § 2.7).
        public var result: String
        /// The address.
        public var pra: String?
        /// The field that it stands in.
        public var header: String?
        /// Its domain.
        public var domain: String?
        /// The mechanism that matched.
        public var mechanism: String?
        /// The domain's explanation of a fail.
        public var explanation: String?
        /// What is wrong, in words.
        public var problem: String?
    }

    /// One DKIM signature.
    public struct Signature: Decodable, Sendable, Equatable {
        /// `d=`.
        public var d: String?
        /// `s=`.
        public var s: String?
        /// `a=`.
        public var a: String?
        /// The result word (RFC 8601 § 2.7).
        public var result: String
        /// `strict` where d= is the author's domain, `relaxed` where it is of the same organization; nil otherwise.
        public var aligned: String?
        /// Whether the key is in testing mode (RFC 6376 § 3.6.1, `t=y`).
        public var testing: Bool
        /// What is wrong, in words.
        public var problem: String?
        /// The changes on the way that explain why it broke.
        public var diagnosis: [String]
    }

    /// DMARC of the author's domain.
    public struct DMARC: Decodable, Sendable, Equatable {
        /// The tags of the record that apply (RFC 9989 § 4.7), with their defaults; a policy that is not there is nil.
        public struct Tags: Decodable, Sendable, Equatable {
            /// The policies: for the domain, its subdomains, and those that do not exist.
            public var p, sp, np: String?
            /// The other tags.
            public var adkim, aspf, fo, t, psd: String
        }

        /// A reason for which the rules did not see a failure.
        public struct Override: Decodable, Sendable, Equatable {
            /// `trusted_forwarder` or `mailing_list`.
            public var type: String
            /// The name of the forwarder, or the domain of List-Id.
            public var comment: String
        }

        /// The result word (RFC 8601 § 2.7).
        public var result: String
        /// The author's domain that decided.
        public var from: String?
        /// The domain of the record.
        public var domain: String?
        /// The Organizational Domain.
        public var organizational: String?
        /// How the record was found (RFC 9990 § 3.1.1.5): `treewalk`.
        public var method: String?
        /// The policy that applies, as published.
        public var published: String?
        /// The policy after test mode.
        public var effective: String?
        /// The tags of the record.
        public var tags: Tags?
        /// Where aggregate reports are wanted.
        public var rua: [String]
        /// Where failure reports are wanted.
        public var ruf: [String]
        /// The mechanisms that passed for an aligned domain.
        public var aligned: [String]
        /// Why a rule on DMARC that would have matched did not (RFC 9990 § 3.1.6); nil where there was none.
        public var override: Override?
        /// What is wrong, in words.
        public var problem: String?
    }

    /// The chain of ARC seals (RFC 8617).
    public struct ARC: Decodable, Sendable, Equatable {
        /// `none`, `pass`, `fail` or `temperror`.
        public var result: String
        /// The number of sets.
        public var instances: Int
        /// The domain of the newest seal.
        public var sealer: String?
        /// The domains of all seals, the oldest first.
        public var sealers: [String]
        /// The lowest instance since which the message is unchanged, 0 for the first; nil unless the result is `pass`.
        public var oldestPass: Int?
        /// Whether the newest sealer vouches for the message: the chain passes, and he signed From with a key in earnest.
        public var vouches: Bool
        /// What is wrong, in words.
        public var problem: String?

        enum CodingKeys: String, CodingKey {
            case result, instances, sealer, sealers, vouches, problem
            case oldestPass = "oldest_pass"
        }
    }

    /// A seal of our own (RFC 8617).
    public struct Seal: Decodable, Sendable, Equatable {
        /// `d=`.
        public var domain: String
        /// `s=`.
        public var selector: String
        /// `i=`.
        public var instance: Int
        /// What it says of the chain before it: `none`, `pass` or `fail`.
        public var cv: String
    }

    /// The client's name.
    public struct ReverseName: Decodable, Sendable, Equatable {
        /// The result word (RFC 8601 § 2.7).
        public var result: String
        /// The verified names.
        public var names: [String]
        /// The names for which the DNS gave no answer.
        public var unanswered: [String]
        /// What is wrong, in words.
        public var problem: String?
    }

    /// Facts for rules that follow from several checks.
    public struct DerivedFacts: Decodable, Sendable, Equatable {
        /// The result of the best signature whose key is not in testing mode.
        public var dkim: String?
        /// The same among the signatures of the author.
        public var dkimAligned: String?
        /// Sender ID, where the PRA is the author's.
        public var senderIDAligned: String?
        /// The purported responsible address, empty where the message has none; nil when its header was not read.
        public var pra: String?
        /// The domains of List-Id; nil when the header was not read.
        public var listID: [String]?
        /// `yes`, `no` or `unanswered`: whether somebody of the list's organization vouches for List-Id; nil where nobody
        /// asked the DNS.
        public var listVerified: String?
        /// `yes`, `no` or `unanswered`: whether a forwarder has sent the message; nil when it is not known.
        public var forwarded: String?
        /// `yes`, `no` or `unanswered`: whether SPF passes by a term that nearly every client matches.
        public var spfOpen: String?
        /// The domains, of those that the rules then asked about, that permit the client; nil where nobody asked.
        public var permittedBy: [String]?

        enum CodingKeys: String, CodingKey {
            case dkim, pra, forwarded
            case listID = "list_id"
            case listVerified = "list_verified"
            case spfOpen = "spf_open"
            case permittedBy = "permitted_by"
            case dkimAligned = "dkim_aligned"
            case senderIDAligned = "sender_id_aligned"
        }
    }
}

// MARK: The verdict and the DNS

extension MailEvent {
    /// What was decided, and why.
    public struct Verdict: Decodable, Sendable, Equatable {
        /// A rule that matched, and its action.
        public struct Match: Decodable, Sendable, Equatable {
            /// The action.
            public var action: String
            /// The rule; nil where the size or the form of the message decided.
            public var rule: String?
            /// `rcpt` or `eom`.
            public var stage: String
        }

        /// Recipients that one rule refused before DATA.
        public struct Refusal: Decodable, Sendable, Equatable {
            /// The action.
            public var action: String
            /// The name of the rule.
            public var rule: String?
            /// The reply.
            public var reply: String?
            /// The places of these recipients in `refused_rcpt_to`.
            public var refusedRcptTo: [Int]

            enum CodingKeys: String, CodingKey {
                case action, rule, reply
                case refusedRcptTo = "refused_rcpt_to"
            }
        }

        /// A rule that a missing answer of the DNS left open.
        public struct Undecided: Decodable, Sendable, Equatable {
            /// The name of the rule.
            public var rule: String
            /// The condition whose check got no answer.
            public var condition: String
        }

        /// The rules' outcomes where they differ between recipients.
        public struct Partial: Decodable, Sendable, Equatable {
            /// The outcome for some recipients.
            public struct Outcome: Decodable, Sendable, Equatable {
                /// The action.
                public var action: String
                /// The name of the rule.
                public var rule: String?
                /// `rcpt` or `eom`.
                public var stage: String
                /// The places of these recipients in `rcpt_to`.
                public var rcptTo: [Int]

                enum CodingKeys: String, CodingKey {
                    case action, rule, stage
                    case rcptTo = "rcpt_to"
                }
            }

            /// The outcomes.
            public var outcomes: [Outcome]
            /// Whether the message was put off so that its recipients come apart.
            public var putOff: Bool

            enum CodingKeys: String, CodingKey {
                case outcomes
                case putOff = "put_off"
            }
        }

        /// `observe` or `enforce`.
        public var mode: String
        /// `accept`, `junk`, `quarantine`, `discard`, `reject`, `tempfail`, or `sign` for mail that was signed.
        public var action: String
        /// `rcpt` where all recipients were refused before DATA, else `eom`.
        public var stage: String
        /// The name of the rule.
        public var rule: String?
        /// The reply.
        public var reply: String?
        /// What `enforce` would have done, in observe mode.
        public var would: Match?
        /// The rules with `mark` that matched.
        public var marks: [String]
        /// The rules that only an exemption kept from matching.
        public var exempted: [String]
        /// Rules on trial that matched.
        public var trial: [Match]
        /// The rules that a missing answer left open.
        public var undecided: [Undecided]
        /// Recipients refused before DATA.
        public var refused: [Refusal]
        /// The outcomes for the recipients, where they differ.
        public var partial: Partial?
        /// How many forged fields were deleted.
        public var removed: Int
    }

    /// The lookups.
    public struct DNS: Decodable, Sendable, Equatable {
        /// One answer.
        public struct Answer: Decodable, Sendable, Equatable {
            /// The name that was asked for.
            public var name: String
            /// The type that was asked for.
            public var type: String
            /// `records`, `no data`, `no such name`, or the error.
            public var outcome: String
            /// How long it may be used, in seconds; nil for an error.
            public var ttl: Int?
            /// Where the answer came from.
            public var source: String
            /// The records.
            public var records: [String]
        }

        /// How many there were.
        public var lookups: Int
        /// How many of them needed no server.
        public var cached: Int
        /// How many had no room, here: local trouble, which says nothing of any domain.
        public var starved: Int
        /// The answers; nil where they are not kept.
        public var answers: [Answer]?
    }
}
