public import MilterProtocol

/// The filter's part in one SMTP session.
///
/// A handler belongs to one session and is called only on its event loop, and never while an answer of the handler is
/// pending. Raw buffers point into the receive buffer and are valid only during the call. The session has properties
/// for the macros defined so far and for the negotiated options. In the address arguments, the first string is the
/// address with its angle brackets, and the others are ESMTP arguments.
///
/// A response to an event for which the MTA expects no response (`MilterRequest.answered`) has no effect, except
/// `skip`.
public protocol MilterSessionHandler: AnyObject {
    /// The filter's request to the MTA, read once, at option negotiation.
    var request: MilterRequest { get }

    /// A client connected.
    func connect(_ connection: MilterConnection) -> MilterResponse
    /// The client sent HELO or EHLO, perhaps not for the first time.
    func helo(_ name: ArraySlice<UInt8>) -> MilterResponse
    /// A message begins.
    func mail(_ arguments: [ArraySlice<UInt8>]) -> MilterResponse
    /// The client named a recipient.
    ///
    /// Nil: `answer` is completed later, within the MTA's patience of a few seconds.
    func recipient(_ arguments: [ArraySlice<UInt8>], answer: MilterAnswer) -> MilterResponse?
    /// The client sent DATA.
    ///
    /// Nil: `answer` is completed later, within the MTA's patience of a few seconds.
    func data(answer: MilterAnswer) -> MilterResponse?
    /// A header field; `value` is the text after the colon, with its leading space if `options.leadingSpace` is set.
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> MilterResponse
    /// The header is complete.
    func endOfHeaders() -> MilterResponse
    /// Octets of the body, with lines ending in CRLF, split anywhere: one chunk of the MTA may come in several pieces.
    ///
    /// A response other than `continue` answers the MTA's chunk, and no more of that chunk is delivered.
    func body(_ chunk: UnsafeRawBufferPointer) -> MilterResponse
    /// The message is complete.
    ///
    /// Nil: `answer` is completed later; until then the MTA is told that the filter still works.
    func endOfMessage(answer: MilterAnswer) -> MilterVerdict?
    /// An unknown SMTP command.
    func unknown(_ command: ArraySlice<UInt8>) -> MilterResponse
    /// The message in progress was aborted.
    ///
    /// Not called if a response has already ended the message.
    func abort()
    /// The message in progress needs more memory than there is: it is refused temporarily, and no more of it is
    /// delivered.
    func giveUpWithoutRoom()
    /// The SMTP session is over; nothing is called after this.
    ///
    /// The session no longer waits for a pending answer.
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
    /// Handles the message as an aborted message.
    public func giveUpWithoutRoom() { abort() }
    /// Does nothing.
    public func close() {}
}
