internal import CBuild

/// Which program this is.
public enum BuildInfo {
    /// The version, as in CHANGELOG.md.
    public static let version = "0.1.0"

    /// The commit that the package was built from; "unknown" where the build was not told.
    public static let commit = unsafe String(cString: postern_commit())
}
