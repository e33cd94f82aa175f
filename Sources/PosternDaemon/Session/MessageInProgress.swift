internal import MailSyntax
internal import MilterProtocol

/// One message from MAIL to its verdict: a `JudgedMessage` from outside or a `SignedMessage` of our own.
///
/// Lives on its session's event loop. Only waiting for the DNS leaves the call that an event makes.
protocol MessageInProgress: AnyObject {
    /// Answers RCPT; nil when `answer` is called later.
    func recipient(_ mailbox: [UInt8], answer: @autoclosure () -> (MilterResponse) -> Void) -> MilterResponse?
    /// Takes a header field; what is beyond the bound on the header's size makes the message unacceptable.
    ///
    /// - Parameters:
    ///   - name: the field's name.
    ///   - value: what follows the colon.
    ///   - addsSpace: whether the MTA took the space behind the colon away.
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, addsSpace: Bool)
    /// Ends the header.
    func endOfHeaders()
    /// Takes a part of the body.
    func body(_ chunk: UnsafeRawBufferPointer)
    /// Whether the rest of the body is not wanted.
    var isBodyComplete: Bool { get }
    /// Ends the message, and hands the verdict to `finish`: within this call, unless an answer is missing.
    func complete(_ finish: @escaping (MilterVerdict) -> Void)
    /// Ends a message that does not come to its end: its recipients were all refused, or the client gave it up.
    func giveUp()
    /// Ends a message of which a packet found no memory; its client is told to come again.
    func giveUpWithoutRoom()
}

extension UnsafeRawBufferPointer {
    /// Calls with the octets of a field's value, a space before them if it is to be added.
    func withSpace<Result>(_ addsSpace: Bool, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard addsSpace else { return unsafe body(self) }
        let spaced = unsafe [.space] + Array(self)
        return unsafe spaced.withUnsafeBytes { unsafe body($0) }
    }
}
