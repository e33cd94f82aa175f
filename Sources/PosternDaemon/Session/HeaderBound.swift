internal import MailAuthentication
internal import MailSyntax

/// The limit for the size of a message's header.
///
/// The first field beyond the limit and all later fields are not kept. They are still examined, because fields that
/// claim to be ours are deleted if the message is accepted.
struct HeaderBound {
    private let maximumOctets: Int
    /// The forged fields of a header beyond the limit; nil for a header within it.
    private(set) var forgedBeyond: ForgedFields?

    /// A limit of this many octets.
    init(_ maximumOctets: Int) { self.maximumOctets = maximumOctets }

    /// Whether the header is larger than it may be.
    var isExceeded: Bool { forgedBeyond != nil }

    /// Decides whether a field may be added to the header; a field that may not is examined here.
    ///
    /// - Parameters:
    ///   - name: the field's name.
    ///   - value: the field's value.
    ///   - octetCount: the size of the header in octets.
    ///   - header: the header, without this field.
    ///   - settings: the settings that say which fields claim to be ours.
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
