internal import MailSyntax
internal import MilterProtocol

/// One message from MAIL to its verdict: a `JudgedMessage` from outside or a `SignedMessage` of our own.
///
/// Lives on its session's event loop. All work is done within the call for an event, except waiting for the DNS.
protocol MessageInProgress: AnyObject {
    /// Answers RCPT; nil when `answer` is called later.
    func recipient(_ mailbox: [UInt8], answer: @autoclosure () -> (MilterResponse) -> Void) -> MilterResponse?
    /// Takes a header field; a field beyond the limit for the header makes the message unacceptable.
    ///
    /// - Parameters:
    ///   - name: the field's name.
    ///   - value: the text after the colon.
    ///   - addsSpace: whether the MTA removed the space after the colon.
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, addsSpace: Bool)
    /// Ends the header.
    func endOfHeaders()
    /// Takes a part of the body.
    func body(_ chunk: UnsafeRawBufferPointer)
    /// Whether the rest of the body is not needed.
    var isBodyComplete: Bool { get }
    /// Ends the message and passes the verdict to `finish`: within this call, unless an answer is missing.
    func complete(_ finish: @escaping (MilterVerdict) -> Void)
    /// Ends a message early: all its recipients were refused, or the client aborted it.
    func giveUp()
    /// Ends a message for which there is no memory; the client is told to try again later.
    func giveUpWithoutRoom()
}

extension UnsafeRawBufferPointer {
    /// Calls `body` with the octets of a field's value, after a space if `addsSpace` is set.
    func withSpace<Result>(_ addsSpace: Bool, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard addsSpace else { return unsafe body(self) }
        let spaced = unsafe [.space] + Array(self)
        return unsafe spaced.withUnsafeBytes { unsafe body($0) }
    }
}
