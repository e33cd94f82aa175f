import AuthenticationResults
import MailSyntax

extension Benchmark {
    /// Header fields, tag-lists and Authentication-Results.
    static let syntax = [
        Benchmark("header-block") {
            let fields = Sample.fields.map { (name: Array($0.name.utf8), value: Array($0.value.utf8)) }
            return {
                var block = HeaderBlock()
                for field in fields { block.append(name: field.name, value: field.value) }
                use(block.fields(named: "From"))
            }
        },
        Benchmark("tag-list") {
            let text = Octets(
                "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s2025; t=1760000000;\r\n\th=From:To:Subject:Date:"
                    + "Message-ID;\r\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb="
                    + String(repeating: "AbCdEfGh", count: 43)
            )
            return { use(try TagList(text)) }
        },
        Benchmark("author-identity") {
            let block = Sample.headers()
            return { use(AuthorIdentity(of: block)) }
        },
        Benchmark("authentication-results-write") {
            let field = authenticationResults
            return { use(field.value()) }
        },
        Benchmark("authentication-results-read") {
            let value = authenticationResults.value()
            return { use(try AuthenticationResultsField(parsing: value[...])) }
        },
    ]

    private static var authenticationResults: AuthenticationResultsField {
        AuthenticationResultsField(
            authservID: Octets("mx.example.org"),
            results: [
                MethodResult("spf", "pass", properties: [.init("smtp", "mailfrom", Octets("bounce@example.com"))]),
                MethodResult(
                    "dkim",
                    "pass",
                    properties: [
                        .init("header", "d", Octets("example.com")),
                        .init("header", "i", Octets("@example.com")),
                        .init("header", "s", Octets("s2025")),
                        .init("header", "a", Octets("rsa-sha256")),
                        .init("header", "b", Octets("AbCdEfGhAbCdEfGhAbCdEfGhAbCdEfGh")),
                    ]
                ),
                MethodResult(
                    "dmarc",
                    "pass",
                    properties: [
                        .init("header", "from", Octets("example.com")),
                        .init("policy", "dmarc", Octets("reject")),
                    ]
                ),
            ]
        )
    }
}
