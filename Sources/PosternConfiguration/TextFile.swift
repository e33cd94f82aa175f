internal import FoundationEssentials
internal import Glibc
internal import MailSyntax
internal import TOML

/// Reads text files.
package enum TextFile {
    /// Why a file cannot be read, as a text to follow the file's name.
    package enum Failure: Error, CustomStringConvertible {
        case absent
        case folder
        case unreadable
        case notUTF8(ForeignOctet)

        package var description: String {
            switch self {
            case .absent: "does not exist"
            case .folder: "is a directory"
            case .unreadable: "cannot be read: permission denied"
            case .notUTF8: "is not UTF-8 text"
            }
        }
    }

    /// The first octet of a text that is not valid UTF-8.
    package struct ForeignOctet: Sendable {
        let octet: UInt8
        let position: TOMLPosition

        var message: String { "this is not UTF-8 text: the octet 0x" + String(octet, radix: 16, uppercase: true) }

        var accepted: String { "the file saved as UTF-8; an old one becomes it by: iconv -f LATIN1 -t UTF-8" }
    }

    /// The text at a path.
    package static func read(_ path: String) -> Result<String, Failure> {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            // Below a directory that the caller may not enter, it is unknown whether a file exists.
            return .failure(unsafe access(path, F_OK) != 0 && errno == EACCES ? .unreadable : .absent)
        }
        guard !isFolder else { return .failure(.folder) }
        guard let data = FileManager.default.contents(atPath: path) else { return .failure(.unreadable) }
        // Some editors put a byte order mark at the start of a file.
        let octets = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
        guard let text = String(validating: octets, as: UTF8.self) else {
            return .failure(.notUTF8(foreignOctet(in: Array(octets))))
        }
        return .success(text)
    }

    private static func foreignOctet(in octets: [UInt8]) -> ForeignOctet {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = octets.makeIterator()
        var position = TOMLPosition(line: 1, column: 1)
        var index = 0
        while case .valid(let scalar) = parser.parseScalar(from: &iterator) {
            index += scalar.count
            position.column += 1
            if scalar.first == .lf { position = TOMLPosition(line: position.line + 1, column: 1) }
        }
        return ForeignOctet(octet: index < octets.count ? octets[index] : 0, position: position)
    }
}
