public import MailSyntax

extension HeaderBlock {
    /// Reads a header as it is stored: fields with folds, each line ended by CRLF or LF, up to the first empty line.
    public init(stored text: some Sequence<UInt8>) {
        self.init()
        var fields: [[UInt8]] = []
        for line in Array(text).split(separator: 0x0A, omittingEmptySubsequences: false) {
            let content = line.last == 0x0D ? line.dropLast() : line
            guard let first = content.first else { break }
            if first.isWSP, let last = fields.indices.last {
                fields[last] += [0x0D, 0x0A] + content
            } else {
                fields.append(Array(content))
            }
        }
        for field in fields {
            let name = field.prefix { $0 != UInt8(ascii: ":") }
            append(name: name, value: field.dropFirst(name.count + 1))
        }
    }
}
