public import MilterProtocol

/// What a filter does with one SMTP session.
///
/// A handler belongs to one session and is only called on its event loop, never while an answer of its is pending. Bytes
/// that are passed as raw buffers lie in the receive buffer and are valid during the call only. The macros defined so far,
/// and what was negotiated, are the session's properties. For the address arguments: the first string is the address with
/// its angle brackets, the others are ESMTP arguments.
///
/// A response to an event for which the MTA waits for none (`MilterRequest.answered`) has no effect, except `skip`.
public protocol MilterSessionHandler: AnyObject {
    /// What the filter wants of the MTA. Asked once, at option negotiation.
    var request: MilterRequest { get }

    /// A client connected.
    func connect(_ connection: MilterConnection) -> MilterResponse
    /// The client said HELO or EHLO, perhaps not for the first time.
    func helo(_ name: ArraySlice<UInt8>) -> MilterResponse
    /// A message begins.
    func mail(_ arguments: [ArraySlice<UInt8>]) -> MilterResponse
    /// A recipient is named. Nil: `answer` is completed later, within the MTA's patience of a few seconds.
    func recipient(_ arguments: [ArraySlice<UInt8>], answer: MilterAnswer) -> MilterResponse?
    /// The client said DATA. Nil: `answer` is completed later, within the MTA's patience of a few seconds.
    func data(answer: MilterAnswer) -> MilterResponse?
    /// A header field; `value` is what follows the colon, beginning with its space if `options.leadingSpace` is set.
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> MilterResponse
    /// The header is complete.
    func endOfHeaders() -> MilterResponse
    /// Octets of the body, lines ending with CRLF, cut anywhere: what the MTA sends as one chunk may come in pieces.
    ///
    /// Another response than to continue is that to the MTA's chunk, of which no more comes.
    func body(_ chunk: UnsafeRawBufferPointer) -> MilterResponse
    /// The message is complete. Nil: `answer` is completed later; until then the MTA is told that work goes on.
    func endOfMessage(answer: MilterAnswer) -> MilterVerdict?
    /// An unknown SMTP command.
    func unknown(_ command: ArraySlice<UInt8>) -> MilterResponse
    /// The message in progress was given up. Not called when a response has already ended it.
    func abort()
    /// The message in progress needs more memory than there is: it is told to come again, and no more of it comes.
    func giveUpWithoutRoom()
    /// The SMTP session is over; nothing is called after this. A pending answer is not waited for any more.
    func close()
}

extension MilterSessionHandler {
    /// Continues.
    public func connect(_ connection: MilterConnection) -> MilterResponse { .continue }
    /// Continues.
    public func helo(_ name: ArraySlice<UInt8>) -> MilterResponse { .continue }
    /// Continues.
    public func mail(_ arguments: [ArraySlice<UInt8>]) -> MilterResponse { .continue }
    /// Continues.
    public func recipient(_ arguments: [ArraySlice<UInt8>], answer: MilterAnswer) -> MilterResponse? { .continue }
    /// Continues.
    public func data(answer: MilterAnswer) -> MilterResponse? { .continue }
    /// Continues.
    public func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> MilterResponse { .continue }
    /// Continues.
    public func endOfHeaders() -> MilterResponse { .continue }
    /// Continues.
    public func body(_ chunk: UnsafeRawBufferPointer) -> MilterResponse { .continue }
    /// Continues.
    public func unknown(_ command: ArraySlice<UInt8>) -> MilterResponse { .continue }
    /// Does nothing.
    public func abort() {}
    /// Does what is done for a message that was given up.
    public func giveUpWithoutRoom() { abort() }
    /// Does nothing.
    public func close() {}
}
