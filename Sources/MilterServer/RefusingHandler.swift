internal import MilterProtocol

/// Tells an MTA to try again later, because there are too many sessions.
final class RefusingHandler: MilterSessionHandler {
    let request = MilterRequest(actions: [], answered: .all)

    func connect(_ connection: MilterConnection) -> MilterResponse { .tempfail }

    func endOfMessage(answer: MilterAnswer) -> MilterVerdict? { MilterVerdict(.tempfail) }
}
