internal import DKIM
internal import DNSLookup
internal import MailSyntax

/// The fields of all sets, by instance.
struct ARCFields {
    /// The fields of one instance, as far as they are there.
    struct Places {
        var results: ARCField?
        var message: ARCField?
        var seal: ARCField?

        subscript(member: ARCMember) -> ARCField? {
            get {
                switch member {
                case .results: results
                case .message: message
                case .seal: seal
                }
            }
            set {
                switch member {
                case .results: results = newValue
                case .message: message = newValue
                case .seal: seal = newValue
                }
            }
        }
    }

    /// The fields of each instance, from 1 up.
    private(set) var places: [Places] = []

    /// The length of the domains and selectors that are not US-ASCII, in octets.
    var uLabelOctets: Int {
        places.reduce(0) { octets, places in
            let tags = [places.message?.tags, places.seal?.tags].compactMap { $0 }
            return tags.flatMap { [$0["d"], $0["s"]] }.reduce(octets) { octets, name in
                name.map { $0.isASCII ? octets : octets + $0.count } ?? octets
            }
        }
    }

    /// Adds a field.
    mutating func add(_ field: ARCField) throws(ARCProblem) {
        while places.count < field.instance { places.append(Places()) }
        guard places[field.instance - 1][field.member] == nil else { throw .duplicate(field.member, field.instance) }
        places[field.instance - 1][field.member] = field
    }
}

extension ARCFields {
    /// The fields that can be read, as a sealer counts them; of two with one place, the upper.
    init(readableOf headers: HeaderBlock) {
        self.init()
        for index in headers.indices {
            guard let member = ARCMember(at: index, of: headers),
                let field = try? ARCField(member, at: index, of: headers)
            else { continue }
            try? add(field)
        }
    }

    /// The fields in the order in which seals cover them (RFC 8617 § 5.1.1).
    var inOrder: [HeaderField] {
        places.flatMap { [$0.results, $0.message, $0.seal].compactMap { $0?.field } }
    }
}

/// The sets of a message, which have the structure that RFC 8617 § 5.2 requires.
struct ARCChain: Sendable {
    /// The sets, from instance 1 up; never empty.
    let sets: [ARCSet]
    /// The message signature of the newest set.
    let newest: DKIMSignature
    /// The sets below, from the newest, with their message signatures; nil for a signature that cannot be verified.
    let earlier: [(set: ARCSet, signature: DKIMSignature?)]

    /// The most earlier message signatures that are read: they decide nothing.
    private static let maximumEarlier = 10
    /// The most octets of domains and selectors with U-labels, which take long to turn into A-labels.
    private static let maximumULabelOctets = 4096

    init(_ fields: ARCFields, _ now: UnixTime, clockSkew: Int64) throws(ARCProblem) {
        guard fields.uLabelOctets <= Self.maximumULabelOctets else { throw .uLabels }
        var sets = [ARCSet]()
        for (place, fields) in fields.places.enumerated() { sets.append(try ARCSet(fields, place + 1)) }
        guard let last = sets.last else { throw .missing(.seal, 1) }
        newest = try last.messageSignature(now, clockSkew: clockSkew)
        earlier = sets.dropLast().suffix(Self.maximumEarlier).reversed().map { set in
            (set, try? set.messageSignature(now, clockSkew: clockSkew))
        }
        self.sets = sets
    }

    /// The questions for the keys that decide the result: of the newest message signature, and of the seals from the newest.
    ///
    /// At most 51. An earlier message signature is verified only with a key that is asked for anyway: it decides
    /// nothing.
    var questions: [DNSQuestion] {
        var questions = [newest.keyQuestion]
        for set in sets.reversed() where !questions.contains(set.sealSignature.keyQuestion) {
            questions.append(set.sealSignature.keyQuestion)
        }
        return questions
    }

    /// Whose seals these are, from instance 1 up.
    var sealers: [DomainName] { sets.map(\.sealSignature.domain) }
}
