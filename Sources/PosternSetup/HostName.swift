internal import Glibc

/// The name of this host.
public enum HostName {
    /// What gethostname(2) says; `localhost` when it says nothing.
    public static let current: String = {
        let name = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // A name that fills the buffer may lack its NUL: the last octet stays one.
            unsafe buffer.initialize(repeating: 0)
            guard let base = buffer.baseAddress, unsafe gethostname(base, 255) == 0 else { return "" }
            return unsafe String(cString: base)
        }
        return name.isEmpty ? "localhost" : name
    }()
}
