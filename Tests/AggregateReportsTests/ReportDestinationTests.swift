import Testing

@testable import AggregateReports

@Suite("Destinations of reports")
struct ReportDestinationTests {
    private static let read: [(uri: String, address: String?, limit: Int?, why: String)] = [
        ("mailto:a@example.com", "a@example.com", nil, "RFC 6068 § 2"),
        ("MAILTO:a@EXAMPLE.com", "a@example.com", nil, "RFC 3986 § 3.1: schemes are without case"),
        ("mailto:a@example.com!10m", "a@example.com", 10 << 20, "RFC 7489 § 6.4"),
        ("mailto:a@example.com!10M", "a@example.com", 10 << 20, "RFC 5234 § 2.3: strings are without case"),
        ("mailto:a@example.com!500", "a@example.com", 500, "RFC 7489 § 6.4: without a unit, octets"),
        ("mailto:a@example.com!1t", "a@example.com", 1 << 40, "RFC 7489 § 6.4"),
        ("mailto:a@example.com!99999999999999999999", "a@example.com", Int.max >> 1, "a limit that nothing reaches"),
        ("mailto:a@example.com!9999999999t", "a@example.com", Int.max >> 1, "a limit that overflows"),
        ("mailto:a@example.com!", nil, nil, "RFC 7489 § 6.4: 1*DIGIT"),
        ("mailto:a@example.com!10x", nil, nil, "RFC 7489 § 6.4: no such unit"),
        ("mailto:a!b@example.com", "a!b@example.com", nil, "RFC 5322 § 3.2.3: ! is atext"),
        ("mailto:a%21b@example.com!2k", "a!b@example.com", 2048, "RFC 9989 § 4.7: ! is percent-encoded"),
        ("mailto:a@example.com?subject=x", "a@example.com", nil, "RFC 6068 § 2: fields are not ours to take"),
        ("mailto:a@example.com?bcc=b@example.net!10m", "a@example.com", 10 << 20, "the limit is behind the URI"),
        ("mailto:a+b@example.com", "a+b@example.com", nil, "RFC 6068 § 2: + is itself"),
        ("mailto:a%2Bb@example.com", "a+b@example.com", nil, "RFC 3986 § 2.1"),
        ("mailto:%C3%BC@example.com", "ü@example.com", nil, "RFC 6068 § 4: UTF-8, percent-encoded"),
        ("mailto:a@b%C3%BCcher.example", "a@xn--bcher-kva.example", nil, "RFC 5890 § 2.3.2.1: A-labels"),
        ("mailto:a@b_c.example", "a@b_c.example", nil, "RFC 1123 § 2.1 forbids it, and it is in use"),
        ("mailto:a%0D%0ARCPT%20TO:%3Cb@example.com", nil, nil, "RFC 5321 § 4.1.2: CR, LF, blank, <"),
        ("mailto:a%0A@example.com", nil, nil, "LF"),
        ("mailto:a%00@example.com", nil, nil, "NUL"),
        ("mailto:a%20b@example.com", nil, nil, "blank"),
        ("mailto:%22a b%22@example.com", nil, nil, "blank, quoted"),
        ("mailto:a%3E@example.com", nil, nil, ">"),
        ("mailto:a%C2%A0b@example.com", nil, nil, "a blank of another script"),
        ("mailto:a%E2%80%A8b@example.com", nil, nil, "a line separator"),
        ("mailto:a%C2%85b@example.com", nil, nil, "a control of C1"),
        ("mailto:a%FFb@example.com", nil, nil, "no UTF-8"),
        ("mailto:a%4@example.com", nil, nil, "RFC 3986 § 2.1: two digits"),
        ("mailto:a%zz@example.com", nil, nil, "RFC 3986 § 2.1: hexadecimal digits"),
        ("mailto:a@example.com%0D%0A", nil, nil, "CR and LF behind the host"),
        ("mailto:a@example.com%00.example.net", nil, nil, "NUL in the host"),
        ("mailto:a@example.com,b@example.com", nil, nil, "two addresses in one URI"),
        ("mailto:a@[192.0.2.1]", nil, nil, "no name that could be verified"),
        ("mailto:a@", nil, nil, "no host"),
        ("mailto:@example.com", nil, nil, "no local part"),
        ("mailto:example.com", nil, nil, "no @"),
        ("mailto:", nil, nil, "nothing"),
        ("", nil, nil, "nothing"),
        ("https://example.com/reports", nil, nil, "RFC 9989 § 4.7: mailto alone must be known"),
        ("mailto:\(String(repeating: "a", count: 65))@example.com", nil, nil, "RFC 5321 § 4.5.3.1.1"),
    ]

    @Test("a URI is read, or not at all", arguments: read)
    func reading(uri: String, address: String?, limit: Int?, why: String) {
        let destination = ReportDestination(uri)
        #expect(destination?.address == address, "\(why)")
        #expect(destination?.limit == limit, "\(why)")
    }

    @Test(
        "an address that asks a mail server to pass mail on is told from others",
        arguments: [
            ("mailto:victim%25victim.example@example.com", true), ("mailto:victim.example%21victim@example.com", true),
            ("mailto:a!b@example.com!10m", true),
            ("mailto:a@example.com!10m", false), ("mailto:a+b=c@example.com", false),
        ]
    )
    func routes(uri: String, isRoute: Bool) throws {
        #expect(try #require(ReportDestination(uri)).isRoute == isRoute)
    }

    @Test("addresses that ask for a way to another host take no place of others")
    func places() {
        let uris = (0..<5).map { "mailto:v%25w\($0)@example.com" } + ["mailto:r@example.com"]
        let destinations = ReportDestination.destinations(of: uris.compactMap { ReportDestination($0) })
        #expect(destinations.map(\.isRoute) == [false, true, true, true, true])
    }

    @Test("RFC 9990 § 3.5: of fifty URIs five are used, each once, and what cannot be used takes no place")
    func list() {
        let uris = (0..<50).flatMap { ["ftp:x", "mailto:r\($0)@example.com", "mailto:r\($0)@EXAMPLE.com!1k"] }
        let addresses = ReportDestination.destinations(of: uris.compactMap { ReportDestination($0) }).map(\.address)
        #expect(addresses == (0..<5).map { "r\($0)@example.com" })
    }

    @Test("RFC 9990 § 3.5: a report that exceeds the limit is not sent there")
    func limit() throws {
        let destination = try #require(ReportDestination("mailto:a@example.com!1k"))
        #expect(destination.takes(octets: 1024) && !destination.takes(octets: 1025))
        #expect(try #require(ReportDestination("mailto:a@example.com")).takes(octets: .max))
    }
}
