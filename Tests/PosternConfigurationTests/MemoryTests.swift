import Testing

@testable import PosternConfiguration

@Suite("What sessions may take")
struct MemoryTests {
    @Test(
        "what all messages hold together, and a little for each connection",
        arguments: [
            ("", (32 << 20) + 1000 * (48 << 10)),
            ("[limits]\nmax_held = \"1MiB\"\n[[listen]]\nmax_connections = 2\n", (1 << 20) + 2 * (48 << 10)),
            (
                """
                [[listen]]
                max_connections = 2
                [[listen]]
                socket = "inet:25@127.0.0.1"
                max_connections = 3
                """, (32 << 20) + 5 * (48 << 10)
            ),
        ]
    )
    func sum(_ text: String, _ octets: Int) throws {
        #expect(try Configuration.parse(text, file: "postern.toml").sessionOctets == octets)
    }
}
