internal import MailSyntax
internal import MilterServer

/// The approximate memory of a message, and its share of the memory for all messages.
struct MessageMemory: ~Copyable {
    private var octets: Int
    private var share: MemoryShare
    /// Whether there was no room for the message.
    ///
    /// Its owner then drops the contents, and the share is returned.
    private(set) var isLacking = false

    /// The memory of a message from this sender.
    init(of memory: SessionMemory, sender: [UInt8]) {
        share = MemoryShare(of: memory)
        octets = sender.count * 4
    }

    /// Counts a recipient; false when there is no room for the recipient.
    mutating func hold(recipient mailbox: [UInt8]) -> Bool { hold(2 * mailbox.count + 64) }

    /// Counts a header field and the data parsed from it; false when there is no room.
    ///
    /// The header grows in steps, each field has an entry in a list, and a signature's values are kept beside it.
    mutating func hold(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        let octets = name.count + value.count
        let isSignature = unsafe name.equalsIgnoringCase("DKIM-Signature")
        return hold(isSignature ? 4 * octets + 64 : octets + octets / 2 + 64)
    }

    private mutating func hold(_ more: Int) -> Bool {
        guard !isLacking else { return false }
        octets += more
        guard octets > MemoryShare.free, !share.hold(octets) else { return true }
        isLacking = true
        _ = share.hold(0)
        return false
    }
}
