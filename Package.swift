// swift-tools-version: 6.2
import PackageDescription

// SwiftPM's manifests cannot share it: Tests/Benchmarks and Tests/Fuzz have the same, and Packaging/lint compares them.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A module map over a C library that Debian packages.
func clibrary(_ name: String, pkgConfig: String, debian: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func library(_ name: String, _ dependencies: [Target.Dependency], extra: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + extra)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.target(name: name), "TestSupport"] + dependencies,
        swiftSettings: settings
    )
}

/// What the benchmarks' package measures, and other programs may use.
let libraries = [
    "MailSyntax", "DNSLookup", "MailCrypto", "ReverseDNS", "SPF", "SenderID", "DKIM", "ARC", "DMARC",
    "AuthenticationResults", "MilterProtocol", "Policy", "DNSResolver", "MilterServer", "MailAuthentication",
    "MailEvents", "RuleTrial", "AggregateReports",
]

let package = Package(
    name: "postern",
    products: libraries.map { .library(name: $0, targets: [$0]) } + [
        .executable(name: "postern", targets: ["postern"]),
        .executable(name: "postern-ledger", targets: ["postern-ledger"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries
        // Headers only: the daemon needs the protocol's constants, and does not run on libmilter.
        .systemLibrary(name: "CMilter", providers: [.apt(["libmilter-dev"])]),
        clibrary("CLDNS", pkgConfig: "ldns", debian: "libldns-dev"),
        clibrary("COpenSSL", pkgConfig: "libcrypto", debian: "libssl-dev"),
        clibrary("CSodium", pkgConfig: "libsodium", debian: "libsodium-dev"),
        clibrary("CPSL", pkgConfig: "libpsl", debian: "libpsl-dev"),
        clibrary("CIDN2", pkgConfig: "libidn2", debian: "libidn2-dev"),
        clibrary("CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
        .systemLibrary(name: "CMimalloc", providers: [.apt(["libmimalloc-dev"])]),
        .target(name: "CTOML"),

        // Grammar and lookups
        library("MailSyntax", ["CIDN2"]),
        library("DNSLookup", ["MailSyntax"]),
        library("MailCrypto", ["COpenSSL", "CSodium"]),

        // One protocol each, without I/O
        library("ReverseDNS", ["MailSyntax", "DNSLookup"]),
        library("SPF", ["MailSyntax", "DNSLookup"]),
        library("SenderID", ["MailSyntax", "DNSLookup", "SPF"]),
        library("DKIM", ["MailSyntax", "DNSLookup", "MailCrypto"]),
        library("ARC", ["MailSyntax", "DNSLookup", "MailCrypto", "DKIM"]),
        library("DMARC", ["MailSyntax", "DNSLookup", "CPSL"]),
        library("AuthenticationResults", ["MailSyntax"]),
        library("Received", ["MailSyntax"]),
        library("MilterProtocol", ["MailSyntax", "CMilter"]),
        library("Policy", ["MailSyntax"]),

        // Transport
        library("DNSResolver", ["MailSyntax", "DNSLookup", "CLDNS", deque, heap, nioCore, nioPosix, system]),
        library("MilterServer", ["MilterProtocol", nioCore, nioPosix, logging, system]),

        // The product
        library("TOML", ["CTOML"]),
        library(
            "MailAuthentication",
            [
                "MailSyntax", "DNSLookup", "MailCrypto", "ReverseDNS", "SPF", "SenderID", "DKIM", "ARC", "DMARC",
                "AuthenticationResults", "Received", "Policy",
            ]
        ),
        library("SMTPClient", ["MailSyntax", nioCore, nioPosix, system]),
        library("EventSpool", [system]),
        library(
            "MailEvents",
            [
                "MailSyntax", "DNSLookup", "ReverseDNS", "SPF", "SenderID", "DKIM", "ARC", "DMARC", "Policy",
                "MailAuthentication",
            ]
        ),
        library("RuleTrial", ["MailEvents", "Policy", "MailSyntax"]),
        library(
            "AggregateReports",
            ["MailEvents", "DMARC", "DNSLookup", "MailCrypto", "MailSyntax", "CZlib"]
        ),
        library(
            "PosternConfiguration",
            [
                "TOML", "MailSyntax", "Policy", "DNSResolver", "MailAuthentication", "DKIM", "SPF", "MailEvents",
                "EventSpool", "SMTPClient",
            ]
        ),
        // What the build knows of itself: Packaging/deb says the commit.
        .target(
            name: "CBuild",
            cSettings: [.define("POSTERN_COMMIT", to: "\"\(Context.environment["POSTERN_COMMIT"] ?? "unknown")\"")]
        ),
        library(
            "PosternSetup",
            [
                "CBuild", "PosternConfiguration", "MailAuthentication", "DNSResolver", "DNSLookup", "MailSyntax",
                "MailCrypto",
                "DKIM", "DMARC", "SPF", "Policy", "MailEvents",
                nioCore, system,
            ]
        ),
        library("ServiceManager", []),
        library(
            "PosternDaemon",
            [
                "ServiceManager",
                "PosternSetup", "PosternConfiguration", "MailAuthentication", "MilterServer", "MilterProtocol",
                "DNSResolver", "MailSyntax", "DKIM", "ARC", "DMARC", "Policy", "MailEvents", "EventSpool",
                deque, nioCore, nioHTTP1, nioPosix, logging, lifecycle, system, unixSignals,
            ]
        ),
        library("CommandSupport", ["PosternConfiguration", "MailSyntax", arguments, system]),
        .executableTarget(
            name: "postern",
            dependencies: [
                "CommandSupport", "PosternDaemon", "PosternSetup", "PosternConfiguration", "MailAuthentication",
                "DNSResolver",
                "DNSLookup", "MailSyntax", "MailCrypto", "DKIM", "Policy",
                "CIDN2", "CLDNS", "CMimalloc", "COpenSSL", "CPSL", "CSodium",
                arguments, nioPosix, system,
            ],
            swiftSettings: settings
        ),

        // The second program: nothing of the filter may depend on it
        library(
            "Ledger",
            [
                "AggregateReports", "MailEvents", "EventSpool", "MailCrypto", "MailSyntax", "Policy",
                "PosternConfiguration", "PosternSetup",
                grdb, system,
            ]
        ),
        .executableTarget(
            name: "postern-ledger",
            dependencies: [
                "Ledger", "AggregateReports", "SMTPClient", "DNSLookup", "RuleTrial", "CommandSupport",
                "ServiceManager",
                "PosternSetup", "PosternConfiguration", "EventSpool", "MailEvents", "MailSyntax", "Policy",
                arguments, nioPosix, unixSignals,
            ],
            swiftSettings: settings
        ),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["MailSyntax", "DNSLookup", yams],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "judge-driver",
            dependencies: ["AggregateReports", "ARC", "DKIM", "DNSLookup", "MailCrypto", "MailEvents", "MailSyntax"],
            path: "Tests/JudgeDriver",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "hostile-messages",
            dependencies: [
                "DKIM", "DNSLookup", "MailAuthentication", "MailCrypto", "MailSyntax", "Policy", "PosternConfiguration",
            ],
            path: "Tests/Benchmarks/Sources/HostileMessages",
            swiftSettings: settings
        ),
        tests(of: "MailSyntax"),
        tests(of: "DNSLookup"),
        tests(of: "MailCrypto"),
        tests(of: "ReverseDNS", ["DNSLookup", "MailSyntax"]),
        tests(of: "SPF", ["DNSLookup", "MailSyntax", "SenderID", "DNSResolver"]),
        tests(of: "SenderID", ["DNSLookup", "MailSyntax", "SPF"]),
        tests(of: "DKIM", ["DNSLookup", "MailSyntax", "MailCrypto"]),
        tests(of: "ARC", ["DKIM", "DNSLookup", "MailSyntax", "MailCrypto", yams]),
        tests(of: "DMARC", ["DNSLookup", "MailSyntax"]),
        tests(of: "AuthenticationResults", ["MailSyntax"]),
        tests(of: "Received", ["MailSyntax"]),
        tests(of: "Policy", ["MailSyntax", "PosternConfiguration", "RuleTrial"]),
        tests(of: "RuleTrial", ["MailEvents", "MailSyntax", "Policy", "PosternConfiguration"]),
        tests(of: "AggregateReports", ["DMARC", "DNSLookup", "MailEvents", "MailSyntax", "CZlib"]),
        tests(of: "DNSResolver", ["DNSLookup", "MailSyntax", nioCore, nioPosix]),
        tests(of: "MilterProtocol"),
        tests(of: "SMTPClient", [nioCore, nioPosix, nioEmbedded]),
        tests(of: "MilterServer", ["MilterProtocol", nioCore, nioPosix, nioEmbedded, logging]),
        tests(of: "MailEvents", ["DNSLookup", "MailAuthentication", "MailSyntax", "Policy"]),
        tests(of: "PosternConfiguration", ["TOML", "Policy", "MailSyntax", "MailAuthentication", "DNSResolver"]),
        tests(
            of: "MailAuthentication",
            [
                "MailSyntax", "DNSLookup", "MailCrypto", "ReverseDNS", "SPF", "SenderID", "DKIM", "ARC", "DMARC",
                "Policy",
                "PosternConfiguration",
            ]
        ),
        tests(
            of: "PosternSetup",
            [
                "PosternConfiguration", "MailAuthentication", "DNSResolver", "MailSyntax", "MailCrypto", "DKIM",
                "Policy",
                nioPosix,
            ]
        ),
        tests(of: "Ledger", ["AggregateReports", "MailEvents", "EventSpool", "MailSyntax", "Policy", grdb, system]),
        tests(
            of: "PosternDaemon",
            [
                "PosternSetup", "PosternConfiguration", "MilterProtocol", "MilterServer", "MailAuthentication",
                "MailEvents", "EventSpool", "DNSLookup", "MailSyntax", "MailCrypto", "DKIM", "Policy", "ServiceManager",
                "RuleTrial",
                nioCore, nioEmbedded, nioHTTP1, nioPosix, logging,
            ]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
