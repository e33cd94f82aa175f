internal import NIOCore

/// Decides whether a server is up: events in, actions out.
///
/// Senders of mail choose names, and can choose names that nobody answers for. So silence about names alone says
/// nothing about the server. A probe does, because every server can answer our own question.
struct ServerWatch {
    /// A server is down if it was asked and has sent nothing at all for this long.
    private static let longestSilence = TimeAmount.seconds(3)
    /// After this much silence, a probe is sent.
    private static let suspiciousSilence = TimeAmount.seconds(1)
    /// How long a probe must have been unanswered.
    private static let probeTime = TimeAmount.seconds(1)
    /// How many failures without an answer between them make a replying server suspicious.
    private static let suspiciousFailures = 5
    /// How often a failing server that replies is probed.
    private static let failureRecheck = TimeAmount.seconds(5)

    /// The state is checked twice a second; a longer gap between two checks means that this host was too busy to
    /// receive anything.
    private static let longestBlink = TimeAmount.seconds(1)

    /// The time since which the server is down.
    private(set) var downSince: NIODeadline?
    /// Whether the server replies, but would not answer even our own probe.
    private(set) var isFailing = false
    /// Whether the server is known to answer.
    private(set) var hasAnswered = false
    /// The time since which the server has been asked and has sent nothing.
    private var unheardSince: NIODeadline?
    /// The time of the first probe in this silence.
    private var probedSince: NIODeadline?
    private var lastProbe: NIODeadline?
    /// The time of the last check; nil when there has been no reason to check since.
    private var lastTick: NIODeadline?
    /// Whether a probe is wanted without any suspicion.
    private var isUnchecked = false
    /// How many questions have failed since the last answer.
    private(set) var failuresInARow = 0

    /// Requests a probe.
    mutating func check() { isUnchecked = true }

    /// Notes that a question was sent.
    mutating func sent(at now: NIODeadline) {
        guard unheardSince == nil else { return }
        unheardSince = now
        probedSince = nil
    }

    /// Notes a reply to any question, whatever it says.
    mutating func heard() {
        unheardSince = nil
        probedSince = nil
        downSince = nil
    }

    /// Notes a useful answer.
    mutating func answered() {
        heard()
        failuresInARow = 0
        isFailing = false
        hasAnswered = true
    }

    /// Notes that a question got no reply in time, or no useful reply.
    mutating func failed() { failuresInARow += 1 }

    /// Notes a reply to our probe.
    mutating func probeReplied(isUseful: Bool) {
        heard()
        isFailing = !isUseful
        if isUseful { hasAnswered = true }
    }

    /// Notes that the host reports a closed port.
    mutating func closed(at now: NIODeadline) {
        if downSince == nil { downSince = now }
    }

    /// Whether `tick` must be called periodically.
    var isSuspicious: Bool {
        isUnchecked || downSince != nil || unheardSince != nil || isFailing || failuresInARow >= Self.suspiciousFailures
    }

    /// Notes that time has passed.
    ///
    /// - Returns: whether a probe must be sent now.
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

    /// Subtracts from the server's silence the time in which this host was too busy to hear a reply.
    ///
    /// Our own overload must not look like an outage: an outage defers more mail, and the deferred mail adds load.
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
