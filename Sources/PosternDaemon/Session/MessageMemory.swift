internal import MailSyntax
internal import MilterServer

/// About how much memory a message takes, and its share of what all messages may take.
struct MessageMemory: ~Copyable {
    private var octets: Int
    private var share: MemoryShare
    /// Whether there was no room for the message.
    ///
    /// Its owner drops what it holds, and the share is given back.
    private(set) var isLacking = false

    /// Memory of a message from this sender.
    init(of memory: SessionMemory, sender: [UInt8]) {
        share = MemoryShare(of: memory)
        octets = sender.count * 4
    }

    /// Counts a recipient; false when there is no room for it.
    mutating func hold(recipient mailbox: [UInt8]) -> Bool { hold(2 * mailbox.count + 64) }

    /// Counts a header field with what is read from it; false when there is no room for it.
    ///
    /// The header grows by pieces, each field is listed, and a signature's values are kept beside it.
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
