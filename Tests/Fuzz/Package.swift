// swift-tools-version: 6.2
import PackageDescription

/// What libFuzzer sees of a target: the project's own code, and not what it is built on.
let sanitizers = ["-sanitize=fuzzer,address"]

// As in ../../Package.swift, whose definition SwiftPM cannot share; Packaging/lint compares them.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .unsafeFlags(sanitizers),
]

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

/// A target of the project itself; `Postern` is a link to its sources.
func library(
    _ name: String,
    _ dependencies: [Target.Dependency],
    isOpen: Bool = false,
    without exclude: [String] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Postern/" + name,
        exclude: exclude,
        // What a session is made of is known to its own target alone.
        swiftSettings: settings + (isOpen ? [.unsafeFlags(["-enable-testing"])] : [])
    )
}

func clibrary(_ name: String, pkgConfig: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Postern/" + name, pkgConfig: pkgConfig)
}

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        clibrary("CMilter"),
        clibrary("CLDNS", pkgConfig: "ldns"),
        clibrary("COpenSSL", pkgConfig: "libcrypto"),
        clibrary("CSodium", pkgConfig: "libsodium"),
        clibrary("CPSL", pkgConfig: "libpsl"),
        clibrary("CIDN2", pkgConfig: "libidn2"),
        clibrary("CZlib", pkgConfig: "zlib"),
        .target(
            name: "CTOML",
            path: "Postern/CTOML",
            cxxSettings: [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])]
        ),

        library("MailSyntax", ["CIDN2"]),
        library("DNSLookup", ["MailSyntax"]),
        library("MailCrypto", ["COpenSSL", "CSodium"]),
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
        library(
            "DNSResolver",
            ["MailSyntax", "DNSLookup", "CLDNS", deque, heap, nioCore, nioPosix, system],
            isOpen: true
        ),
        library("MilterServer", ["MilterProtocol", nioCore, nioPosix, logging, system], isOpen: true),
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
        library("AggregateReports", ["MailEvents", "DMARC", "DNSLookup", "MailCrypto", "MailSyntax", "CZlib"]),
        library(
            "PosternConfiguration",
            [
                "TOML", "MailSyntax", "Policy", "DNSResolver", "MailAuthentication", "DKIM", "SPF", "MailEvents",
                "EventSpool", "SMTPClient",
            ]
        ),
        .target(
            name: "CBuild",
            path: "Postern/CBuild",
            cSettings: [.define("POSTERN_COMMIT", to: "\"unknown\"")]
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
        // The sessions and what they use, without the daemon around them and its libraries.
        library(
            "PosternDaemon",
            [
                "PosternSetup", "PosternConfiguration", "MailAuthentication", "MilterServer",
                "MilterProtocol",
                "DNSResolver", "MailSyntax", "DKIM", "ARC", "DMARC", "Policy", "MailEvents", "EventSpool",
                deque, nioCore, nioPosix, logging, system,
            ],
            isOpen: true,
            without: [
                "Admin/AdminClient.swift", "Admin/AdminConnection.swift", "Admin/AdminConnections.swift",
                "Admin/AdminResponse+JSON.swift", "Admin/AdminRouter.swift", "Admin/AdminRouter+Metrics.swift",
                "Admin/AdminServer.swift",
                "Admin/AdminServer+Configuration.swift", "Admin/DaemonStatus.swift",
                "Admin/DaemonStatus+Text.swift", "Admin/MessageRate.swift",
                "Daemon.swift",
                "Reload/Reloader.swift", "SocketWatch.swift", "Watchdog.swift", "Why/WhyRequest.swift",
            ]
        ),

        // One program with all targets, so that each module is built and linked once.
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "AggregateReports", "ARC", "AuthenticationResults", "DKIM", "DMARC", "DNSLookup", "DNSResolver",
                "MailAuthentication",
                "MailCrypto", "MailEvents", "MailSyntax", "MilterProtocol", "MilterServer", "Policy",
                "PosternConfiguration", "PosternDaemon", "PosternSetup", "Received", "RuleTrial", "SPF", "SenderID",
                nioCore, nioEmbedded, logging,
            ],
            path: "Targets",
            swiftSettings: settings,
            linkerSettings: [.unsafeFlags(sanitizers + ["-use-ld=lld"])]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
