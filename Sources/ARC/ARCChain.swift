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

    /// Adds a field.
    mutating func add(_ field: ARCField) throws(ARCProblem) {
        while places.count < field.instance { places.append(Places()) }
        guard places[field.instance - 1][field.member] == nil else { throw .duplicate(field.member, field.instance) }
        places[field.instance - 1][field.member] = field
    }
}

/// The sets of a message, which have the structure that RFC 8617 § 5.2 requires.
struct ARCChain: Sendable {
    /// The sets, from instance 1 up; never empty.
    let sets: [ARCSet]
    /// The message signature of the newest set.
    let newest: DKIMSignature
    /// The earlier message signatures from instance 1 up; nil for a signature that cannot be verified.
    let earlier: [DKIMSignature?]

    init(_ fields: ARCFields, _ now: UnixTime, clockSkew: Int64) throws(ARCProblem) {
        var sets = [ARCSet]()
        for (place, fields) in fields.places.enumerated() { sets.append(try ARCSet(fields, place + 1)) }
        guard let last = sets.last else { throw .missing(.seal, 1) }
        newest = try last.messageSignature(now, clockSkew: clockSkew)
        earlier = sets.dropLast().map { try? $0.messageSignature(now, clockSkew: clockSkew) }
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
