/// The response of a filter to an event.
public enum MilterResponse: Sendable, Hashable {
    /// Go on.
    case `continue`
    /// Accept without further questions: the connection if the event is connect or HELO, otherwise the message.
    case accept
    /// Refuse: the connection, the command, the recipient or the message.
    case reject
    /// Refuse for now.
    case tempfail
    /// Accept the message and drop it silently; before MAIL it counts as `continue`.
    case discard
    /// At the body: send no more chunks; elsewhere it counts as `continue`.
    case skip
    /// Refuse, or refuse for now, with this text.
    case reply(MilterReply)

    /// Whether the response is a refusal.
    public var refuses: Bool {
        switch self {
        case .reject, .tempfail, .reply: true
        case .continue, .accept, .discard, .skip: false
        }
    }
}

/// A change to a message, requested at its end.
///
/// Texts are made safe when they are written: no value can end a line, a header field or a packet. A change is left out
/// if it was not negotiated, or if its field name is not valid.
public enum MilterModification: Sendable, Hashable {
    /// Inserts a header field above the field with this index; 0 is above all fields, including the MTA's Received.
    case insertHeader(index: UInt32, name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)
    /// Appends a header field. Sendmail may overwrite a field of that name instead.
    case addHeader(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)
    /// Replaces the value of the field with this name and 1-based index among the fields of that name.
    ///
    /// An empty value deletes the field. MTAs differ in whether a deletion renumbers: delete the last field first.
    case changeHeader(name: ArraySlice<UInt8>, index: UInt32, value: ArraySlice<UInt8>)
    /// Holds the message; this is not a response, so a response is still due.
    case quarantine(reason: ArraySlice<UInt8>)
    /// Changes the envelope sender, with ESMTP arguments or none.
    case changeSender(address: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>)
    /// Adds a recipient, with ESMTP arguments or none.
    case addRecipient(address: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>)
    /// Removes a recipient, written as it was received.
    case deleteRecipient(address: ArraySlice<UInt8>)
    /// Replaces the body by this one, lines ending with CRLF.
    case replaceBody(ArraySlice<UInt8>)
}

/// The decision of a filter about a message: the changes, and the response.
public struct MilterVerdict: Sendable, Hashable {
    /// The changes, in the order in which the MTA must make them.
    public var modifications: [MilterModification]
    /// The response.
    public var response: MilterResponse

    /// A verdict.
    public init(_ response: MilterResponse, modifications: [MilterModification] = []) {
        self.response = response
        self.modifications = modifications
    }
}
