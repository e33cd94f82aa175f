internal import MailAuthentication
internal import MailSyntax

/// The bound on the size of a message's header.
///
/// The fields from the first one that is beyond it are not kept. They are still looked at, because those that claim to be
/// ours are deleted where the message is accepted.
struct HeaderBound {
    private let maximumOctets: Int
    /// What is forged in a header that is beyond the bound; nil in one that is within it.
    private(set) var forgedBeyond: ForgedFields?

    /// A header of so many octets at most.
    init(_ maximumOctets: Int) { self.maximumOctets = maximumOctets }

    /// Whether the header is larger than it may be.
    var isExceeded: Bool { forgedBeyond != nil }

    /// Says whether a field may be added to the header; one that may not is looked at here.
    ///
    /// - Parameters:
    ///   - name: the field's name.
    ///   - value: the field's value.
    ///   - octetCount: how many octets the header has.
    ///   - header: the header, without this field.
    ///   - settings: which fields claim to be ours.
    mutating func admits(
        name: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        after octetCount: Int,
        of header: @autoclosure () -> HeaderBlock,
        _ settings: @autoclosure () -> HeaderSettings
    ) -> Bool {
        if forgedBeyond == nil, octetCount + name.count + value.count <= maximumOctets { return true }
        var forged = forgedBeyond ?? ForgedFields(header(), settings())
        unsafe forged.add(name: name, value: value)
        forgedBeyond = forged
        return false
    }
}

extension ForgedFields {
    /// The fields of a header that claim to be ours.
    init(_ header: HeaderBlock, _ settings: HeaderSettings) {
        self.init(settings)
        add(header)
    }
}
