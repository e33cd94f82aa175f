internal import CIDN2
internal import CLDNS
internal import CMimalloc
internal import COpenSSL
internal import CPSL
internal import CSodium
internal import PosternSetup

/// What `postern --version` prints.
enum LibraryVersions {
    /// The program's version, and below it those of the libraries that it runs with.
    static var text: String {
        ([program] + libraries).joined(separator: "\n")
    }

    private static var program: String {
        "postern \(BuildInfo.version)" + (BuildInfo.commit == "unknown" ? "" : " (commit \(BuildInfo.commit))")
    }

    private static var libraries: [String] {
        // Each returns a constant string of its library, or nothing.
        unsafe [
            words("", OpenSSL_version(OPENSSL_VERSION)),
            words("libsodium ", sodium_version_string()),
            words("ldns ", ldns_version()),
            words("libpsl ", psl_get_version()),
            words("libidn2 ", idn2_check_version(nil)),
            "mimalloc \(mi_version() / 100).\(mi_version() / 10 % 10).\(mi_version() % 10)",
        ]
    }

    private static func words(_ name: String, _ version: UnsafePointer<CChar>?) -> String {
        unsafe name + (version.map { unsafe String(cString: $0) } ?? "unknown")
    }
}
