/// Text in the Prometheus exposition format, version 0.0.4.
struct MetricsText {
    /// The kinds of metric that the daemon has.
    enum Kind: String {
        case counter
        case gauge
    }

    private(set) var text = ""

    /// Adds a metric without labels.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        describe(name, kind, help)
        text += "postern_\(name) \(value)\n"
    }

    /// Adds a metric with a value for each of some labels.
    mutating func add(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        _ values: [(labels: [(String, String)], value: Int)]
    ) {
        describe(name, kind, help)
        for (labels, value) in values {
            let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
            text += "postern_\(name){\(list)} \(value)\n"
        }
    }

    private mutating func describe(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP postern_\(name) \(help)\n# TYPE postern_\(name) \(kind.rawValue)\n"
    }

    /// A label's value: backslash, quote and line end are written as the format asks.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
