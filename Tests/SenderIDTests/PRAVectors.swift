import SenderID

/// Headers and the address that RFC 4407 § 2 finds in them.
///
/// Trace fields are written short; what is in them does not matter.
let praVectors: [PRAVector] = [
    // Step 1: Resent-Sender
    vector("1", "Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    vector("1", "Resent-Sender: s@rs.example|From: a@f.example", pra: "s@rs.example", .resentSender),
    vector("1", "From: a@f.example|Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    vector("1", "Sender: b@s.example|Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    vector("1", "Resent-From: r@rf.example|Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    vector("1", "Resent-From: r@rf.example|Subject: x|Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    vector("1", "Resent-Sender: s1@rs.example|Resent-Sender: s2@rs.example", pra: "s1@rs.example", .resentSender),
    vector("1", "Resent-Sender: s1@rs.example|Resent-Sender: x, y", pra: "s1@rs.example", .resentSender),
    vector(
        "1",
        "Received: t|Resent-Sender: s@rs.example|Resent-From: r@rf.example",
        pra: "s@rs.example",
        .resentSender
    ),
    vector(
        "1",
        "Resent-Sender: s@rs.example|Received: t|Resent-From: r@rf.example",
        pra: "s@rs.example",
        .resentSender
    ),
    vector(
        "1",
        "Received: t|Resent-From: r@rf.example|Resent-Sender: s@rs.example",
        pra: "s@rs.example",
        .resentSender
    ),
    vector(
        "1",
        "Return-Path: <>|Resent-From: r@rf.example|Resent-Sender: s@rs.example",
        pra: "s@rs.example",
        .resentSender
    ),
    vector("1", "Resent-From: r@rf.example|Received: t|Resent-Sender: s@rs.example", pra: "r@rf.example", .resentFrom),
    vector(
        "1",
        "Resent-From: r@rf.example|Return-Path: <>|Resent-Sender: s@rs.example",
        pra: "r@rf.example",
        .resentFrom
    ),
    vector("1", "Resent-From: r@rf.example|RECEIVED: t|Resent-Sender: s@rs.example", pra: "r@rf.example", .resentFrom),
    vector("1", "Resent-From: r@rf.example|Received:|Resent-Sender: s@rs.example", pra: "r@rf.example", .resentFrom),
    vector(
        "1",
        "Resent-From: r@rf.example|X-Received: t|Resent-Sender: s@rs.example",
        pra: "s@rs.example",
        .resentSender
    ),
    vector(
        "1",
        "Resent-From: r@rf.example|Received-SPF: t|Resent-Sender: s@rs.example",
        pra: "s@rs.example",
        .resentSender
    ),
    // An older block's Resent-From lies between the trace field and the Resent-Sender: the topmost one has trace below it.
    vector(
        "1",
        "Resent-From: r1@rf.example|Received: t|Resent-From: r2@rf.example|Resent-Sender: s@rs.example",
        pra: "r1@rf.example",
        .resentFrom
    ),
    // An empty Resent-From above does not count as preceding.
    vector("1", "Resent-From: |Received: t|Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    // The first Resent-Sender that is not empty is the one that counts.
    vector("1", "Resent-Sender: |Resent-Sender: s@rs.example", pra: "s@rs.example", .resentSender),
    vector(
        "1",
        "Resent-From: r@rf.example|Resent-Sender: |Received: t|Resent-Sender: s@rs.example",
        pra: "r@rf.example",
        .resentFrom
    ),
    vector("1", "rEsEnT-sEnDeR: s@rs.example|From: a@f.example", pra: "s@rs.example", .resentSender),
    // Step 2: Resent-From
    vector("2", "Resent-From: r@rf.example", pra: "r@rf.example", .resentFrom),
    vector("2", "Resent-From: r1@rf.example|Resent-From: r2@rf.example", pra: "r1@rf.example", .resentFrom),
    vector("2", "Sender: b@s.example|From: a@f.example|Resent-From: r@rf.example", pra: "r@rf.example", .resentFrom),
    vector("2", "Sender: b@s.example|Sender: c@s.example|Resent-From: r@rf.example", pra: "r@rf.example", .resentFrom),
    vector("2", "From: a@f.example|From: b@f.example|Resent-From: r@rf.example", pra: "r@rf.example", .resentFrom),
    vector("2", "Resent-From: |Resent-From: r@rf.example", pra: "r@rf.example", .resentFrom),
    vector("2", "Resent-From: |Sender: b@s.example|From: a@f.example", pra: "b@s.example", .sender),
    vector("2", "Resent-To: r@rf.example|Resent-Date: x|From: a@f.example", pra: "a@f.example", .from),
    // Step 3: Sender
    vector("3", "Sender: b@s.example|From: a@f.example, c@f.example", pra: "b@s.example", .sender),
    vector("3", "Sender: b@s.example", pra: "b@s.example", .sender),
    vector("3", "Sender: b@s.example|Sender: b@s.example|From: a@f.example", pra: nil),
    vector("3", "Sender: b@s.example|Sender: |From: a@f.example", pra: "b@s.example", .sender),
    vector("3", "Sender: |Sender: |From: a@f.example", pra: "a@f.example", .from),
    vector("3", "Sender: b@s.example|Sender: c|From: a@f.example", pra: nil),
    vector("3", "SENDER: b@s.example|from: a@f.example", pra: "b@s.example", .sender),
    vector("3", "X-Sender: b@s.example|From: a@f.example", pra: "a@f.example", .from),
    // Step 4: From
    vector("4", "From: |From: a@f.example", pra: "a@f.example", .from),
    vector("4", "From: a@f.example|From: |Subject: x", pra: "a@f.example", .from),
    vector("4", "From: a@f.example|From: a@f.example", pra: nil),
    vector("4", "From: ", pra: nil),
    vector("4", "Subject: x", pra: nil),
    vector("4", "", pra: nil),
    vector("4", "Reply-To: a@f.example", pra: nil),
    // Step 5: the field that counts must hold one mailbox with a domain name; no other field stands in for it.
    vector("5", "Resent-Sender: s1@rs.example, s2@rs.example|From: a@f.example", pra: nil),
    vector("5", "Resent-From: r1@rf.example, r2@rf.example|From: a@f.example", pra: nil),
    vector("5", "Sender: b@s.example, c@s.example|From: a@f.example", pra: nil),
    vector("5", "Sender: nobody|From: a@f.example", pra: nil),
    vector("5", "Sender: <>|From: a@f.example", pra: nil),
    vector("5", "Sender: (only a comment)|From: a@f.example", pra: nil),
    vector("5", "From: Friends: a@f.example, b@f.example;", pra: nil),
    vector("5", "From: Friends: a@f.example;", pra: nil),
    vector("5", "From: Nobody:;", pra: nil),
    vector("5", "From: a@[192.0.2.1]", pra: nil),
    vector("5", "From: a@f.example b@f.example", pra: nil),
    vector("5", "From: <a@f.example", pra: nil),
    vector("5", "From: \"a@f.example", pra: nil),
    vector("5", "From: a@f..example", pra: nil),
    vector("5", "From: \"b@x.example\" <a@f.example>", pra: "a@f.example", .from),
    vector("5", "From: \"Last, First\" <a@f.example>", pra: "a@f.example", .from),
    vector("5", "From: a@f.example (b@x.example)", pra: "a@f.example", .from),
    vector("5", "From: (b@x.example, c) a@f.example", pra: "a@f.example", .from),
    vector("5", "From: =?utf-8?q?b=40x=2Eexample=2C?= <a@f.example>", pra: "a@f.example", .from),
    vector("5", "From: \"a b\"@f.example", pra: "\"a b\"@f.example", .from),
    vector("5", "From: \"a,b\"@f.example", pra: "\"a,b\"@f.example", .from),
    vector("5", "From: <@relay.example:a@f.example>", pra: "a@f.example", .from),
    vector("5", "From: a@F.Example", pra: "a@F.Example", .from),
    vector("5", "From: Some\r\n One\r\n\t<a@f.example>", pra: "a@f.example", .from),
    vector("5", "From:\r\n a@f.example", pra: "a@f.example", .from),
    vector("5", "From:\r\n \r\n\t", pra: nil),
    vector("5", "From: \u{E4}@b\u{FC}cher.example", pra: "\u{E4}@b\u{FC}cher.example", .from),
]

/// One vector; a bar stands between fields.
private func vector(
    _ step: String,
    _ fields: String,
    pra: String?,
    _ selected: PurportedResponsibleAddress.Field? = nil
) -> PRAVector {
    PRAVector(
        name: fields,
        spec: "RFC 4407 § 2, step \(step)",
        headers: fields.split(separator: "|").map { $0 + "\r\n" }.joined(),
        pra: pra,
        selected: selected?.rawValue
    )
}
