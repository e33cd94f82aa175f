internal import NIOCore

/// Decides whether a server is there at all: events in, actions out.
///
/// Whoever sends mail chooses names, and can choose some that nobody answers for. So the silence about names alone says
/// nothing of the server: a question of our own does, which every server can answer.
struct ServerWatch {
    /// A server is down when nothing at all has come from it for this long, though it was asked.
    private static let longestSilence = TimeAmount.seconds(3)
    /// After this much of it our own question is sent.
    private static let suspiciousSilence = TimeAmount.seconds(1)
    /// How long our own question has to have been unanswered.
    private static let probeTime = TimeAmount.seconds(1)
    /// How many failures without an answer between them make a server suspicious that speaks.
    private static let suspiciousFailures = 5
    /// How often a server that speaks is asked whether it still fails.
    private static let failureRecheck = TimeAmount.seconds(5)

    /// Time is looked at twice a second; when more than this lies between two looks, this host was too busy to hear anybody.
    private static let longestBlink = TimeAmount.seconds(1)

    /// Since when the server is down.
    private(set) var downSince: NIODeadline?
    /// Whether the server speaks, but would not even answer our own question.
    private(set) var isFailing = false
    /// Whether it is known that the server answers.
    private(set) var hasAnswered = false
    /// Since when the server has been asked and has not said anything.
    private var unheardSince: NIODeadline?
    /// When our own question was sent for the first time since then.
    private var probedSince: NIODeadline?
    private var lastProbe: NIODeadline?
    /// When time was looked at last; nil when nobody had a reason to since.
    private var lastTick: NIODeadline?
    /// Whether our own question is wanted though nothing is wrong.
    private var isUnchecked = false
    /// How many questions have failed since the last answer.
    private(set) var failuresInARow = 0

    /// It shall be found out whether the server is there.
    mutating func check() { isUnchecked = true }

    /// A question is sent.
    mutating func sent(at now: NIODeadline) {
        guard unheardSince == nil else { return }
        unheardSince = now
        probedSince = nil
    }

    /// A reply came to something that was asked, whatever it says.
    mutating func heard() {
        unheardSince = nil
        probedSince = nil
        downSince = nil
    }

    /// A useful answer came.
    mutating func answered() {
        heard()
        failuresInARow = 0
        isFailing = false
        hasAnswered = true
    }

    /// A question was not answered in time, or not usefully.
    mutating func failed() { failuresInARow += 1 }

    /// Our own question was replied to.
    mutating func probeReplied(isUseful: Bool) {
        heard()
        isFailing = !isUseful
        if isUseful { hasAnswered = true }
    }

    /// The host says that nobody listens there.
    mutating func closed(at now: NIODeadline) {
        if downSince == nil { downSince = now }
    }

    /// Whether `tick` has to be called again and again.
    var isSuspicious: Bool {
        isUnchecked || downSince != nil || unheardSince != nil || isFailing || failuresInARow >= Self.suspiciousFailures
    }

    /// Time has passed.
    ///
    /// - Returns: whether our own question is to be sent now.
    mutating func tick(at now: NIODeadline) -> Bool {
        excuseDelay(at: now)
        defer { lastTick = isSuspicious ? now : nil }
        if let unheardSince, downSince == nil, now - unheardSince >= Self.longestSilence,
            let probedSince, now - probedSince >= Self.probeTime
        {
            downSince = now
        }
        guard wantsProbe(at: now) else { return false }
        isUnchecked = false
        lastProbe = now
        sent(at: now)
        if probedSince == nil { probedSince = now }
        return true
    }

    /// Takes the time in which this host was too busy to hear a reply off the server's silence: our own overload must not
    /// be taken for an outage, which would have more mail put off, and so bring more of it.
    private mutating func excuseDelay(at now: NIODeadline) {
        guard let since = unheardSince, let lastTick else { return }
        let delay = now - max(since, lastTick) - Self.longestBlink
        guard delay > .zero else { return }
        unheardSince = since + delay
        probedSince = probedSince.map { min($0 + delay, now) }
    }

    private func wantsProbe(at now: NIODeadline) -> Bool {
        if isUnchecked || downSince != nil { return true }
        if let unheardSince, now - unheardSince >= Self.suspiciousSilence { return true }
        guard isFailing || failuresInARow >= Self.suspiciousFailures else { return false }
        return lastProbe.map { now - $0 >= Self.failureRecheck } ?? true
    }
}
