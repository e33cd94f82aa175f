internal import MailCrypto
internal import MailSyntax

/// Looks for a single change to a body that explains why its hash differs.
///
/// It undoes each change that is known from practice, and hashes the result.
struct BodyDiagnosis {
    /// How many lines a footer and a banner may have; a banner that ends with an empty line may have more.
    private static let maximumFooterLines = 200
    private static let maximumBannerLines = 3
    private static let maximumBannerLinesBeforeEmptyOne = 16

    private let body: [UInt8]
    private let canonicalBody: [UInt8]
    private let form: BodyHasher.Form
    private let wanted: [UInt8]

    init(_ signature: DKIMSignature, body: [UInt8]) {
        self.body = body
        form = BodyHasher.Form(canonicalization: signature.canonicalization.body, length: signature.length)
        canonicalBody = Self.canonical(body, form.canonicalization)
        wanted = signature.bodyHash
    }

    /// The change that explains the difference, if there is one and the budget lasts until it is found.
    func diagnosis(_ budget: inout DiagnosisBudget) -> DKIMDiagnosis? {
        // The canonical form has already been computed.
        guard budget.pay(body.count) else { return nil }
        if let known = footer(&budget) ?? banner(&budget) { return known }
        var other = form
        other.canonicalization = form.canonicalization == .simple ? .relaxed : .simple
        if isWanted(body, other, &budget) { return .canonicalizationMisnamed }
        let traits = unsafe body.withUnsafeBytes { unsafe LineTraits($0) }
        for (trait, change, undo) in lines where traits.contains(trait) {
            // Undoing a change costs as much as hashing the result.
            guard budget.pay(body.count) else { return nil }
            if isWanted(undo(body), form, &budget) { return change }
        }
        return budget.pay(body.count) ? signedWithLF : nil
    }

    /// Changes to lines: the traits that show a possible change, the diagnosis, and how to undo it.
    private var lines: [(LineTraits, DKIMDiagnosis, ([UInt8]) -> [UInt8])] {
        [
            (.trailingSpace, .trailingWhiteSpaceAdded, { $0.mapLines { line in line.withoutTrailingSpace } }),
            (
                .separator, .signatureSeparatorCut,
                { $0.mapLines { line in line.elementsEqual([0x2D, 0x2D]) ? line + [.space] : line } }
            ),
            (.doubledCR, .lineEndsDoubled, { $0.mapLines { line in line.last == .cr ? line.dropLast() : line } }),
            (
                .twoDots, .dotStuffing,
                { $0.mapLines { line in line.starts(with: [0x2E, 0x2E]) ? line.dropFirst() : line } }
            ),
            (.dot, .dotStuffing, { $0.mapLines { line in line.first == 0x2E ? [0x2E] + line : line } }),
            (.length, .longLinesBroken, { $0.joiningBrokenLines() }),
        ]
    }

    /// Whether a body has the signed hash, as far as the budget lasts.
    private func isWanted(_ body: [UInt8], _ form: BodyHasher.Form, _ budget: inout DiagnosisBudget) -> Bool {
        guard budget.pay(body.count) else { return false }
        var hasher = BodyHasher(form)
        unsafe body.withUnsafeBytes { unsafe hasher.update($0) }
        hasher.finish()
        return hasher.digest(form.length) == wanted
    }

    /// A footer: the text before it has the signed hash.
    private func footer(_ budget: inout DiagnosisBudget) -> DKIMDiagnosis? {
        guard form.length == nil, budget.pay(canonicalBody.count) else { return nil }
        let hasher = SHA256Hasher()
        var taken = 0
        for end in canonicalBody.lineEnds.reversed().prefix(Self.maximumFooterLines).reversed() {
            // RFC 6376 § 3.4.3: a signed body has no empty line at its end.
            guard !canonicalBody[..<end].endsWithEmptyLine else { continue }
            unsafe canonicalBody.withUnsafeBytes { unsafe hasher.update(.init(rebasing: $0[taken..<end])) }
            taken = end
            if hasher.copy().finish() == wanted { return .footerAppended(octets: canonicalBody.count - end) }
        }
        return nil
    }

    /// A banner: the text after it has the signed hash.
    private func banner(_ budget: inout DiagnosisBudget) -> DKIMDiagnosis? {
        guard form.length == nil else { return nil }
        let ends = canonicalBody.lineEnds.prefix(Self.maximumBannerLinesBeforeEmptyOne).enumerated()
        let end = ends.first { index, end in
            guard index < Self.maximumBannerLines || canonicalBody[..<end].endsWithEmptyLine,
                budget.pay(canonicalBody.count - end)
            else { return false }
            let rest = unsafe canonicalBody.withUnsafeBytes { unsafe SHA256Hasher.digest(.init(rebasing: $0[end...])) }
            return rest == wanted
        }?.element
        return end.map { .bannerAdded(octets: $0) }
    }

    private static func canonical(_ body: [UInt8], _ form: Canonicalization) -> [UInt8] {
        var canonicalizer = BodyCanonicalizer(form)
        var output = [UInt8]()
        unsafe body.withUnsafeBytes { unsafe canonicalizer.update($0) { unsafe output.append(contentsOf: $0) } }
        unsafe canonicalizer.finish { unsafe output.append(contentsOf: $0) }
        return output
    }

    /// A signer that hashed LF where the message has CRLF, with or without the last line end.
    private var signedWithLF: DKIMDiagnosis? {
        guard form.length == nil else { return nil }
        let hasher = SHA256Hasher()
        let last = canonicalBody.count - 1
        var start = 0
        unsafe canonicalBody.withUnsafeBytes { octets in
            while start < last {
                let end = unsafe octets[start..<last].firstIndex(of: .cr) ?? last
                unsafe hasher.update(.init(rebasing: octets[start..<end]))
                start = end + 1
            }
        }
        if hasher.copy().finish() == wanted { return .bodySignedWithLF }
        hasher.update(Array(canonicalBody.suffix(1)))
        return hasher.finish() == wanted ? .bodySignedWithLF : nil
    }
}

/// Traits that some lines of a body have, so that undoing an impossible change costs nothing.
private struct LineTraits: OptionSet {
    let rawValue: UInt8

    /// White space at the end, except the space of a signature separator.
    static let trailingSpace = Self(rawValue: 1)
    /// A signature separator without its space.
    static let separator = Self(rawValue: 2)
    /// Two CRs at the end.
    static let doubledCR = Self(rawValue: 4)
    /// A dot at the beginning.
    static let dot = Self(rawValue: 8)
    /// Two dots at the beginning.
    static let twoDots = Self(rawValue: 16)
    /// A length at which an MTA may break the line.
    static let length = Self(rawValue: 32)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ body: UnsafeRawBufferPointer) {
        self = []
        var start = 0
        while start < body.count {
            let lineFeed = unsafe body.firstIndex(ofLineFeedFrom: start, to: body.count)
            let next = lineFeed.map { $0 + 1 } ?? body.count
            if next - start >= [UInt8].shortestBrokenLine { insert(.length) }
            unsafe add(UnsafeRawBufferPointer(rebasing: body[start..<(lineFeed ?? next)]))
            start = next
        }
    }

    /// Adds the traits of a line without its LF.
    private mutating func add(_ text: UnsafeRawBufferPointer) {
        let line = unsafe text.last == .cr ? text.dropLast() : text[...]
        guard let first = unsafe line.first, let last = unsafe line.last else { return }
        if last.isWSP, unsafe !line.elementsEqual([0x2D, 0x2D, .space]) { insert(.trailingSpace) }
        if last == .cr { insert(.doubledCR) }
        if first == 0x2D, unsafe line.elementsEqual([0x2D, 0x2D]) { insert(.separator) }
        if first == 0x2E { unsafe insert(line.starts(with: [0x2E, 0x2E]) ? [.dot, .twoDots] : .dot) }
    }
}

extension ArraySlice<UInt8> {
    /// Whether the last of these lines is empty.
    fileprivate var endsWithEmptyLine: Bool { suffix(4).elementsEqual([.cr, .lf, .cr, .lf]) }

    /// The octets without trailing white space.
    fileprivate var withoutTrailingSpace: ArraySlice<UInt8> {
        // RFC 3676 § 4.3: the space is part of this line.
        guard !elementsEqual([0x2D, 0x2D, .space]) else { return self }
        guard let last = lastIndex(where: { !$0.isWSP }) else { return prefix(0) }
        return self[...last]
    }
}

extension [UInt8] {
    /// The shortest length of lines that MTAs break, line ends included: Sendmail breaks at 990 octets, Postfix at 998.
    fileprivate static let shortestBrokenLine = 989

    /// The indices after the line ends, except the last line end of the text.
    fileprivate var lineEnds: some BidirectionalCollection<Int> {
        indices.dropLast().lazy.filter { self[$0] == .lf }.map { $0 + 1 }
    }

    /// The text with each line replaced, without its CRLF or LF; line ends become CRLF.
    fileprivate func mapLines(_ transform: (ArraySlice<UInt8>) -> ArraySlice<UInt8>) -> [UInt8] {
        var output = [UInt8]()
        output.reserveCapacity(count + 16)
        var rest = self[...]
        while let end = rest.firstIndex(of: .lf) {
            let line = rest[..<end]
            output += transform(line.last == .cr ? line.dropLast() : line)
            output += [.cr, .lf]
            rest = rest[(end + 1)...]
        }
        return output + transform(rest)
    }

    /// The text with each long line joined to the next line if that begins with a space.
    ///
    /// Postfix breaks a line with CRLF and a space; Sendmail puts an exclamation mark in front.
    fileprivate func joiningBrokenLines() -> [UInt8] {
        var output = [UInt8]()
        var lineStart = 0
        var rest = self[...]
        while let end = rest.firstIndex(of: .lf) {
            output += rest[...end]
            rest = rest[(end + 1)...]
            let length = output.count - lineStart
            if length >= Self.shortestBrokenLine, rest.first == .space {
                output.removeLast(output.dropLast().last == .cr ? 2 : 1)
                if output.last == 0x21, length < 995 { output.removeLast() }
                rest = rest.dropFirst()
            }
            lineStart = output.count
        }
        return output + rest
    }
}
