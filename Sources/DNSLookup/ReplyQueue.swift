internal import Synchronization

/// A queue of replies to questions that are open at the same time, in the order in which the replies come.
final class ReplyQueue: Sendable {
    private struct State {
        var replies: [(DNSQuestion, DNSReply)] = []
        var openCount = 0
        var lookups: [OpenLookup] = []
        var isCancelled = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Asks a question; its reply goes into the queue.
    func ask(_ question: DNSQuestion, of resolver: some DNSResolving) {
        state.withLock { $0.openCount += 1 }
        let lookup = resolver.ask(question, for: nil) { self.take($0, to: question) }
        let isCancelled = state.withLock { state in
            state.lookups.append(lookup)
            return state.isCancelled
        }
        if isCancelled { lookup.cancel() }
    }

    private func take(_ reply: DNSReply, to question: DNSQuestion) {
        let waiting = state.withLock { state in
            state.replies.append((question, reply))
            state.openCount -= 1
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// The next reply.
    ///
    /// Waits while a question is open; returns nil when none is.
    func next() async -> (DNSQuestion, DNSReply)? {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.replies.isEmpty, state.openCount > 0 else { return true }
                state.waiting = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { $0.replies.isEmpty ? nil : $0.replies.removeFirst() }
    }

    /// Cancels every question, and every question asked later.
    func cancel() {
        let lookups = state.withLock { state in
            state.isCancelled = true
            defer { state.lookups = [] }
            return state.lookups
        }
        for lookup in lookups { lookup.cancel() }
    }
}
