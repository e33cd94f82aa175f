internal import MailSyntax

/// Finds the fields that `h=` names, from the lowest up (RFC 6376 § 5.4.2).
///
/// Built once for a message: looking for a name then takes a binary search, however many fields the message has.
struct SignedFields: Sendable {
    private let headers: HeaderBlock
    /// A hash of each field's name above the field's index, sorted.
    private let keys: [UInt64]

    /// Drawn anew in each process, so that nobody can prepare names that collide.
    private static let seed = UInt64.random(in: .min ... .max) | 1

    init(_ headers: HeaderBlock) {
        self.headers = headers
        var keys = [UInt64]()
        keys.reserveCapacity(headers.count)
        for index in headers.indices {
            keys.append(Self.hash(headers.name(at: index)) | UInt64(UInt32(truncatingIfNeeded: index)))
        }
        keys.sort()
        self.keys = keys
    }

    private static func hash(_ name: Octets) -> UInt64 {
        var hash: UInt64 = seed
        let text = name.span
        for index in text.indices where !text[index].isWSP {
            let octet = text[index]
            hash = (hash ^ UInt64(octet.lowercased)) &* seed &+ (hash >> 29)
        }
        return hash & 0xFFFF_FFFF_0000_0000
    }

    /// The index of the field that each name stands for, but for a name that stands for an absent field.
    ///
    /// RFC 6376 § 5.4.2: a name that occurs again stands for the next field of that name upwards. § 3.5, `h=`: it "MUST
    /// NOT include the DKIM-Signature header field that is being created or verified".
    func indices(of names: [Octets], excluding own: Int?) -> [Int] {
        let hashes = names.map(Self.hash)
        var indices = [Int]()
        indices.reserveCapacity(names.count)
        // Where among the keys the search for each name ended: that for the same name goes on there.
        var ends = [Int](repeating: 0, count: names.count)
        for position in names.indices {
            let hash = hashes[position]
            var end: Int?
            for earlier in (0..<position).reversed()
            where hashes[earlier] == hash && names[earlier].equalsIgnoringCase(names[position]) {
                end = ends[earlier]
                break
            }
            ends[position] = end ?? upperBound(hash | 0xFFFF_FFFF)
            if let index = next(names[position], hash, below: &ends[position], excluding: own) { indices.append(index) }
        }
        return indices
    }

    /// The lowest field of a name whose key is below a position, which becomes that of the key.
    private func next(_ name: Octets, _ hash: UInt64, below end: inout Int, excluding own: Int?) -> Int? {
        while end > 0 {
            let key = keys[end - 1]
            guard key & 0xFFFF_FFFF_0000_0000 == hash else { return nil }
            end -= 1
            let index = Int(key & 0xFFFF_FFFF)
            if index != own, headers.hasName(name, at: index) { return index }
        }
        return nil
    }

    /// How many keys are not above `bound`.
    private func upperBound(_ bound: UInt64) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = low + (high - low) / 2
            if keys[middle] <= bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The fields at some indices.
    func fields(at indices: [Int]) -> some Collection<HeaderField> {
        indices.lazy.map { headers[$0] }
    }

    /// How many octets the fields have before they are canonicalized; no form of them is longer.
    static func octetCount(_ fields: some Collection<HeaderField>, own: HeaderField) -> Int {
        fields.reduce(own.octetCount) { $0 + $1.octetCount }
    }

    /// What a signature is made over, before it is hashed: the fields chosen, then the signature's own field.
    ///
    /// RFC 6376 § 5.4: a field that does not exist "MUST be treated as the null string".
    ///
    /// - Parameter capacity: `octetCount` of the same fields, when it is known.
    static func canonicalForm(
        _ fields: some Collection<HeaderField>,
        own: HeaderField,
        _ canonicalization: Canonicalization,
        capacity: Int? = nil
    ) -> [UInt8] {
        let capacity = capacity ?? octetCount(fields, own: own)
        var canonicalizer = HeaderCanonicalizer(canonicalization, capacity: capacity)
        for field in fields { canonicalizer.append(field) }
        // RFC 6376 § 3.7: the DKIM-Signature field is hashed last, "without a trailing CRLF".
        canonicalizer.appendWithoutLineEnd(own)
        return canonicalizer.octets
    }
}

extension HeaderField {
    /// The octets of name, colon, value and line end.
    fileprivate var octetCount: Int { label.count + value.count + 3 }
}
