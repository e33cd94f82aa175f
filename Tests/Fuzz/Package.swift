// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
]

/// A target of the project itself; `Postern` is a link to its sources.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Postern/" + name, swiftSettings: settings)
}

/// A program that libFuzzer drives: `run.sh NAME SECONDS` builds and runs it.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: ["Driver"] + dependencies, path: name, swiftSettings: settings)
}

let package = Package(
    name: "fuzz",
    targets: [
        .target(name: "Driver", path: "Driver", swiftSettings: settings),

        .systemLibrary(name: "CIDN2", path: "Postern/CIDN2", pkgConfig: "libidn2"),
        .systemLibrary(name: "CLDNS", path: "Postern/CLDNS", pkgConfig: "ldns"),
        library("MailSyntax", ["CIDN2"]),
        library("DNSLookup", ["MailSyntax"]),
        library("AuthenticationResults", ["MailSyntax"]),
        library("SPF", ["MailSyntax", "DNSLookup"]),
        // The decoder alone, without the transport and its libraries.
        .target(
            name: "DNSMessage",
            dependencies: ["MailSyntax", "DNSLookup", "CLDNS"],
            path: "Postern/DNSResolver/Message",
            swiftSettings: settings
        ),
        .systemLibrary(name: "COpenSSL", path: "Postern/COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CSodium", path: "Postern/CSodium", pkgConfig: "libsodium"),
        library("MailCrypto", ["COpenSSL", "CSodium"]),
        library("DKIM", ["MailSyntax", "DNSLookup", "MailCrypto"]),

        fuzzer("DNSMessageFuzz", ["DNSMessage", "DNSLookup", "MailSyntax"]),
        fuzzer("FromFuzz", ["MailSyntax"]),
        fuzzer("AuthenticationResultsFuzz", ["AuthenticationResults", "MailSyntax"]),
        fuzzer("SPFRecordFuzz", ["SPF", "DNSLookup", "MailSyntax"]),
        fuzzer("SPFMacroFuzz", ["SPF", "DNSLookup", "MailSyntax"]),
        fuzzer("TagListFuzz", ["MailSyntax"]),
        fuzzer("DKIMKeyRecordFuzz", ["DKIM", "MailCrypto", "MailSyntax"]),
        fuzzer("HeaderCanonicalizerFuzz", ["DKIM", "MailSyntax"]),
        fuzzer("BodyCanonicalizerFuzz", ["DKIM"]),
        fuzzer("DKIMMessageFuzz", ["DKIM", "DNSLookup", "MailSyntax"]),
    ],
    swiftLanguageModes: [.v6]
)
