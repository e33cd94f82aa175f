internal import Synchronization

/// A question that is asked, and answered by a call.
public struct DNSInquiry: Sendable {
    private let giveUp: @Sendable () -> Void

    /// A question that is given up by a call.
    public init(giveUp: @escaping @Sendable () -> Void) {
        self.giveUp = giveUp
    }

    /// Asks for no more than a reply soon, whatever it is.
    public func cancel() { giveUp() }
}

extension DNSResolving {
    /// Answers several questions that are asked at once; returns when all have their replies.
    public func lookUp(_ questions: [DNSQuestion]) async -> [(question: DNSQuestion, reply: DNSReply)] {
        guard questions.count > 1 else {
            guard let question = questions.first else { return [] }
            return [(question, await lookUp(question))]
        }
        let collection = ReplyCollection(questions)
        return await withTaskCancellationHandler {
            let isAsked = await withCheckedContinuation { continuation in
                collection.begin(continuation)
                for (place, question) in questions.enumerated() {
                    let inquiry = ask(question, for: nil) { collection.take($0, at: place) }
                    guard let inquiry else { return collection.end(isAsked: false) }
                    collection.note(inquiry)
                }
            }
            return isAsked ? collection.replies : await lookUpByTasks(questions)
        } onCancel: {
            collection.cancel()
        }
    }

    private func lookUpByTasks(_ questions: [DNSQuestion]) async -> [(question: DNSQuestion, reply: DNSReply)] {
        await withTaskGroup(of: (question: DNSQuestion, reply: DNSReply).self) { group in
            for question in questions { group.addImmediateTask { (question, await lookUp(question)) } }
            return await group.reduce(into: []) { replies, reply in replies.append(reply) }
        }
    }
}

/// Replies that come one by one, to questions that are waited for together.
private final class ReplyCollection: Sendable {
    private struct State {
        var replies: [DNSReply?]
        var missing: Int
        var inquiries: [DNSInquiry] = []
        var isCancelled = false
        var continuation: CheckedContinuation<Bool, Never>?
    }

    private let questions: [DNSQuestion]
    private let state: Mutex<State>

    init(_ questions: [DNSQuestion]) {
        self.questions = questions
        state = Mutex(State(replies: Array(repeating: nil, count: questions.count), missing: questions.count))
    }

    var replies: [(question: DNSQuestion, reply: DNSReply)] {
        zip(questions, state.withLock { $0.replies }).compactMap { question, reply in reply.map { (question, $0) } }
    }

    func begin(_ continuation: CheckedContinuation<Bool, Never>) {
        state.withLock { $0.continuation = continuation }
    }

    func take(_ reply: DNSReply, at place: Int) {
        let isLast = state.withLock { state in
            guard state.replies.indices.contains(place), state.replies[place] == nil else { return false }
            state.replies[place] = reply
            state.missing -= 1
            return state.missing == 0
        }
        if isLast { end(isAsked: true) }
    }

    /// Keeps a question that is asked; when it is not wanted any more, it is given up.
    func note(_ inquiry: DNSInquiry) {
        let isCancelled = state.withLock { state in
            state.inquiries.append(inquiry)
            return state.isCancelled
        }
        if isCancelled { inquiry.cancel() }
    }

    func end(isAsked: Bool) {
        let continuation = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(returning: isAsked)
    }

    func cancel() {
        let inquiries = state.withLock { state in
            state.isCancelled = true
            return state.inquiries
        }
        for inquiry in inquiries { inquiry.cancel() }
    }
}
