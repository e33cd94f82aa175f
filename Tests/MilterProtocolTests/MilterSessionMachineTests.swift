import MilterProtocol
import Testing

/// Plays a script on a machine.
///
/// A line is a command letter, perhaps with the response that the filter gives, for example `R r`; a play's result is
/// what each line did.
private func play(_ machine: inout MilterSessionMachine, _ script: String) -> [String] {
    script.split(separator: ",").map { line in
        let words = line.split(separator: " ")
        guard let octet = words.first?.utf8.first, let command = MilterCommand(octet: octet) else { return "?" }
        let step = machine.receive(command)
        guard case .deliver(let event, let aborting) = step else { return name(step) }
        let response = words.dropFirst().first.map { responses[String($0)] ?? .continue } ?? .continue
        let answer = machine.answer(response, to: event)
        return (aborting ? "abort+" : "") + "\(event)" + (answer.map { "=" + letter(of: $0) } ?? "")
    }
}

private let responses: [String: MilterResponse] = [
    "c": .continue, "a": .accept, "r": .reject, "t": .tempfail, "d": .discard, "s": .skip,
    "y": .reply(MilterReply(code: 550, enhancedStatus: "5.7.1", text: "no")),
]

private func letter(of response: MilterResponse) -> String {
    responses.first { $0.value == response }?.key ?? "?"
}

private func name(_ step: MilterStep) -> String {
    switch step {
    case .negotiate: "negotiate"
    case .define: "define"
    case .deliver: "deliver"
    case .answer(let response): response.map { "=" + letter(of: $0) } ?? "-"
    case .abort: "abort"
    case .ignore: "ignore"
    case .restart(let aborting): aborting ? "abort+restart" : "restart"
    case .close(let violation, let aborting):
        (aborting ? "abort+" : "") + (violation.map { $0 == .notMilter ? "notMilter" : "misplaced" } ?? "close")
    }
}

@Suite("Session machine")
struct MilterSessionMachineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var request = MilterRequest(events: .all, answered: .all)
        var offer = MilterOffer.everything
        let script: String
        let steps: String
    }

    static let talkative = MilterRequest(events: .all, answered: .all)
    static let silent = MilterRequest(answered: MilterEvents())

    static let cases: [Case] = [
        Case(
            testDescription: "a message, every event answered",
            script: "C,H,M,R,R,T,L,L,N,B,B,E,Q",
            steps:
                "connect=c,helo=c,mail=c,recipient=c,recipient=c,data=c,header=c,header=c,endOfHeaders=c,body=c,body=c,"
                + "endOfMessage=c,close"
        ),
        Case(
            testDescription: "a message, nothing answered but its end",
            request: silent,
            script: "C,H,M,R,T,L,N,B,E a,Q",
            steps: "connect,helo,mail,recipient,data,header,endOfHeaders,body,endOfMessage=a,close"
        ),
        Case(
            testDescription: "NR was not offered: everything is answered",
            request: silent,
            offer: MilterOffer(version: 2, actions: 0x3F, protocolBits: 0x7F),
            script: "C,H,M,R,L,N,B,E",
            steps: "connect=c,helo=c,mail=c,recipient=c,header=c,endOfHeaders=c,body=c,endOfMessage=c"
        ),
        Case(
            testDescription: "events that are not wanted are answered if they come all the same",
            request: MilterRequest(events: MilterEvents(.mail, .endOfMessage), answered: MilterEvents(.mail)),
            offer: MilterOffer(version: 2, actions: 0, protocolBits: 0),
            script: "C,H,M,R,L,N,B,E",
            steps: "=c,=c,mail=c,=c,=c,=c,=c,endOfMessage=c"
        ),
        Case(
            testDescription: "events that are not wanted are not answered if NR was negotiated",
            request: MilterRequest(events: MilterEvents(.endOfMessage), answered: MilterEvents()),
            script: "C,H,M,R,L,N,B,E",
            steps: "-,-,-,-,-,-,-,endOfMessage=c"
        ),
        Case(
            testDescription: "several messages a connection",
            script: "C,H,M,R,T,E,M,R,T,E a,A,M,R,A,A,M,Q",
            steps:
                "connect=c,helo=c,mail=c,recipient=c,data=c,endOfMessage=c,mail=c,recipient=c,data=c,endOfMessage=a,ignore,"
                + "mail=c,recipient=c,abort,ignore,mail=c,abort+close"
        ),
        Case(
            testDescription: "a new MAIL without ABORT resets",
            script: "C,H,M,R,M,R,T,L,M,R,T,E",
            steps:
                "connect=c,helo=c,mail=c,recipient=c,abort+mail=c,recipient=c,data=c,header=c,abort+mail=c,recipient=c,"
                + "data=c,endOfMessage=c"
        ),
        Case(
            testDescription: "HELO resets",
            script: "C,H,M,R,H,M",
            steps: "connect=c,helo=c,mail=c,recipient=c,abort+helo=c,mail=c"
        ),
        Case(
            testDescription: "accept at connect is for the connection",
            script: "C a,H,M,R,T,L,N,B,E,A,M,E,K,C,H",
            steps: "connect=a,=a,=a,=a,=a,=a,=a,=a,=a,ignore,=a,=a,restart,connect=c,helo=c"
        ),
        Case(
            testDescription: "accept at HELO is for the connection",
            script: "C,H a,M,E",
            steps: "connect=c,helo=a,=a,=a"
        ),
        Case(
            testDescription: "a refused HELO may be followed by a better one",
            script: "C,H r,H,M",
            steps: "connect=c,helo=r,helo=c,mail=c"
        ),
        Case(
            testDescription: "tempfail at connect holds for the connection",
            script: "C t,H,M,Q",
            steps: "connect=t,=t,=t,close"
        ),
        Case(
            testDescription: "accept is for the message",
            script: "C,H,M a,R,T,E,M,R a,T,L,E,M,R,L a,L,N,E,M",
            steps:
                "connect=c,helo=c,mail=a,=a,=a,=a,mail=c,recipient=a,=a,=a,=a,mail=c,recipient=c,header=a,=a,=a,=a,mail=c"
        ),
        Case(
            testDescription: "after the filter's last word nothing is aborted",
            script: "C,H,M r,A,M t,M,A",
            steps: "connect=c,helo=c,mail=r,ignore,mail=t,mail=c,abort"
        ),
        Case(
            testDescription: "reject at RCPT is for the recipient",
            script: "C,H,M,R r,R t,R y,R,E",
            steps: "connect=c,helo=c,mail=c,recipient=r,recipient=t,recipient=y,recipient=c,endOfMessage=c"
        ),
        Case(
            testDescription: "discard is for the message, and does not exist before it",
            script: "C d,H d,M,R d,T,E,M d",
            steps: "connect=c,helo=c,mail=c,recipient=d,=d,=d,mail=d"
        ),
        Case(
            testDescription: "skip ends the body, for this message",
            script: "C,H,M,R,T,N,B s,B,B,E,M,R,T,N,B,E",
            steps:
                "connect=c,helo=c,mail=c,recipient=c,data=c,endOfHeaders=c,body=s,=s,=s,endOfMessage=c,mail=c,recipient=c,"
                + "data=c,endOfHeaders=c,body=c,endOfMessage=c"
        ),
        Case(
            testDescription: "skip that the MTA does not know is continue",
            offer: MilterOffer(version: 6, actions: 0, protocolBits: 0x1F_FBFF),
            script: "C,H,M,R,N,B s,B,E",
            steps: "connect=c,helo=c,mail=c,recipient=c,endOfHeaders=c,body=c,=c,endOfMessage=c"
        ),
        Case(
            testDescription: "skip without an answer ends the deliveries all the same",
            request: silent,
            script: "C,H,M,R,N,B s,B,E",
            steps: "connect,helo,mail,recipient,endOfHeaders,body,-,endOfMessage=c"
        ),
        Case(
            testDescription: "skip exists at the body only",
            script: "C s,H s,M s,R s,T s,L s,N s,B,E",
            steps: "connect=c,helo=c,mail=c,recipient=c,data=c,header=c,endOfHeaders=c,body=c,endOfMessage=c"
        ),
        Case(
            testDescription: "what the MTA does not hear has no effect",
            request: silent,
            script: "C r,H r,M r,R,L a,E r",
            steps: "connect,helo,mail,recipient,header,endOfMessage=r"
        ),
        Case(
            testDescription: "QUIT_NC starts over at CONNECT",
            script: "C,H,M,K,C,H,M,R,E,K,C,Q",
            steps:
                "connect=c,helo=c,mail=c,abort+restart,connect=c,helo=c,mail=c,recipient=c,endOfMessage=c,restart,connect=c,"
                + "close"
        ),
        Case(
            testDescription: "unknown commands change nothing",
            script: "U,C,U r,H,M,U,R,U,E",
            steps: "unknown=c,connect=c,unknown=r,helo=c,mail=c,unknown=c,recipient=c,unknown=c,endOfMessage=c"
        ),
        Case(testDescription: "negotiation may be repeated first", script: "O", steps: "negotiate"),
        Case(testDescription: "but not later", script: "C,O", steps: "connect=c,misplaced"),
        Case(testDescription: "a second CONNECT", script: "C,C", steps: "connect=c,misplaced"),
        Case(testDescription: "RCPT without MAIL", script: "C,H,R", steps: "connect=c,helo=c,misplaced"),
        Case(testDescription: "a body without MAIL", script: "C,H,B", steps: "connect=c,helo=c,misplaced"),
        Case(
            testDescription: "a second end of message",
            script: "C,M,R,E,E",
            steps: "connect=c,mail=c,recipient=c,endOfMessage=c,misplaced"
        ),
        Case(
            testDescription: "RCPT after DATA",
            script: "C,M,R,T,R",
            steps: "connect=c,mail=c,recipient=c,data=c,abort+misplaced"
        ),
        Case(
            testDescription: "a header field after the end of the header",
            script: "C,M,R,N,L",
            steps: "connect=c,mail=c,recipient=c,endOfHeaders=c,abort+misplaced"
        ),
        Case(
            testDescription: "ABORT at any time",
            script: "A,C,A,H,A,M,A,A,Q",
            steps: "ignore,connect=c,ignore,helo=c,ignore,mail=c,abort,ignore,close"
        ),
    ]

    @Test("scripts", arguments: cases)
    func script(_ test: Case) {
        var machine = negotiated(test.request, offer: test.offer)
        #expect(play(&machine, test.script).joined(separator: ",") == test.steps)
    }

    @Test("ABORT in every state", arguments: ["M", "M,R", "M,R,T", "M,R,T,L", "M,R,T,L,N", "M,R,T,L,N,B"])
    func abort(_ script: String) {
        var machine = negotiated(Self.talkative)
        _ = play(&machine, "C,H," + script)
        #expect(machine.isInMessage)
        #expect(play(&machine, "A,A,M,R,E") == ["abort", "ignore", "mail=c", "recipient=c", "endOfMessage=c"])
        _ = play(&machine, script)
        let isAborted = (machine.disconnect(), machine.disconnect())
        #expect(isAborted == (true, false))
    }

    @Test("nothing comes before negotiation", arguments: Array("CHMRTLNBEUDAK"))
    func before(_ letter: Character) {
        var machine = MilterSessionMachine(request: Self.talkative)
        #expect(play(&machine, String(letter)) == ["notMilter"])
        #expect(play(&machine, "Q") == ["close"])
        #expect(play(&machine, "O") == ["negotiate"])
    }
}
