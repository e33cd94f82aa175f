// swift-tools-version: 6.2
import PackageDescription

// As in ../../Package.swift, whose definition SwiftPM cannot share; Packaging/lint compares them.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func postern(_ name: String) -> Target.Dependency { .product(name: name, package: "postern") }

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "postern", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "MilterLoad",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "DNSLoad",
            dependencies: [
                postern("DNSLookup"), postern("DNSResolver"), postern("MailSyntax"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "MicroBenchmarks",
            dependencies: [
                postern("AuthenticationResults"), postern("DKIM"), postern("DMARC"), postern("DNSLookup"),
                postern("DNSResolver"), postern("MailAuthentication"), postern("MailCrypto"), postern("MailSyntax"),
                postern("MailEvents"), postern("MilterProtocol"), postern("Policy"), postern("RuleTrial"),
                postern("SPF"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
