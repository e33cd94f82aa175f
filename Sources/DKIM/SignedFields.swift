package import MailSyntax

/// Finds the fields that `h=` names, from the lowest up (RFC 6376 § 5.4.2).
///
/// Built once for each message: finding a name then takes a binary search, however many fields the message has.
package struct SignedFields: Sendable {
    private let headers: HeaderBlock
    /// For each field, a hash of its name in the high bits and its index in the low bits; sorted.
    private let keys: [UInt64]

    /// Chosen at random in each process, so that nobody can prepare names that collide.
    private static let seed = UInt64.random(in: .min ... .max) | 1

    /// The fields of a message.
    package init(_ headers: HeaderBlock) {
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

    /// The index of the field for each name; names that stand for absent fields have none.
    ///
    /// RFC 6376 § 5.4.2: a repeated name stands for the next field of that name upwards. § 3.5, `h=`: it "MUST NOT
    /// include the DKIM-Signature header field that is being created or verified".
    func indices(of names: [Octets], excluding own: Int?) -> [Int] {
        let hashes = names.map(Self.hash)
        var indices = [Int]()
        indices.reserveCapacity(names.count)
        // Where among the keys the search for each name ended: the search for the same name continues there.
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

    /// The lowest field of a name whose key is below `end`, which becomes the position of that key.
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

    /// The number of keys that are not above `bound`.
    private func upperBound(_ bound: UInt64) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = low + (high - low) / 2
            if keys[middle] <= bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The fields at the given indices.
    func fields(at indices: [Int]) -> some Collection<HeaderField> {
        indices.lazy.map { headers[$0] }
    }

    /// The length of the fields in octets before canonicalization; no canonical form is longer.
    static func octetCount(_ fields: some Collection<HeaderField>, own: HeaderField) -> Int {
        fields.reduce(own.octetCount) { $0 + $1.octetCount }
    }

    /// The octets that a signature covers, before they are hashed: the chosen fields, then the signature's own field.
    ///
    /// RFC 6376 § 5.4: a field that does not exist "MUST be treated as the null string".
    ///
    /// - Parameter capacity: `octetCount` of the same fields, if it is known.
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
    /// The length of name, colon, value and line end in octets.
    fileprivate var octetCount: Int { label.count + value.count + 3 }
}
