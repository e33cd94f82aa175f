internal import Glibc

/// The name of this host.
public enum HostName {
    /// The name from gethostname(2); `localhost` when it fails.
    public static let current: String = {
        let name = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // A name that fills the buffer may lack its NUL, so the last octet stays NUL.
            unsafe buffer.initialize(repeating: 0)
            guard let base = buffer.baseAddress, unsafe gethostname(base, 255) == 0 else { return "" }
            return unsafe String(cString: base)
        }
        return name.isEmpty ? "localhost" : name
    }()
}
