/// The parts of a message's way that an event loop runs in one piece.
///
/// Each is a function of its own name, never inlined: `Tests/Benchmarks/hostile` has callgrind write down what it has
/// counted when one ends.
enum Phases {
    /// MAIL, with what is known of the client.
    @inline(never) static func pieceOfEnvelope(_ body: () -> Void) { counted(body) }
    /// All RCPT, which come one by one.
    @inline(never) static func pieceOfRecipients(_ body: () -> Void) { counted(body) }
    /// As many header fields as the filter reads at a time.
    @inline(never) static func pieceOfFields(_ body: () -> Void) { counted(body) }
    /// The end of the header.
    @inline(never) static func pieceOfHeader(_ body: () -> Void) { counted(body) }
    /// One answer of the DNS, and what goes on with it.
    @inline(never) static func pieceOfAnswer(_ body: () -> Void) { counted(body) }
    /// One chunk of the body.
    @inline(never) static func pieceOfBody(_ body: () -> Void) { counted(body) }
    /// The end of the body, and joining the checks as far as the answers go.
    @inline(never) static func pieceOfJoining(_ body: () -> Void) { counted(body) }
    /// What is said of the message.
    @inline(never) static func pieceOfEnd(_ body: () -> Void) { counted(body) }

    /// How many phases there were: something to do after each, for a function that ends with a call is left before it.
    nonisolated(unsafe) private static var count = 0

    @inline(__always) static func counted(_ body: () -> Void) {
        body()
        unsafe count += 1
    }
}

/// What callgrind counts: everything in here, once for each case.
@inline(never)
func wholeMessage(_ body: () -> Void) {
    body()
    Phases.counted {}
}

/// The end of a case.
@inline(never)
func lastPhase(_ body: () -> Void) { Phases.counted(body) }
