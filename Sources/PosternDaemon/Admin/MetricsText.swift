internal import DNSResolver

/// Text in the Prometheus exposition format, version 0.0.4.
struct MetricsText {
    /// The kinds of metric that the daemon has.
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    /// A value of a metric, and the labels that tell it from the others.
    typealias Series<Value> = (labels: [(String, String)], value: Value)

    /// What every name begins with.
    private let prefix: String
    private(set) var text = ""

    /// No metrics yet.
    init(prefix: String = "postern_") {
        self.prefix = prefix
    }

    /// Adds a metric without labels.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some Numeric) {
        add(name, kind, help, [([], value)])
    }

    /// Adds a metric with a value for each of some labels.
    mutating func add<Value: Numeric>(_ name: String, _ kind: Kind, _ help: String, _ values: [Series<Value>]) {
        describe(name, kind, help)
        for (labels, value) in values { write(name, labels, value) }
    }

    /// Adds a histogram of times in seconds.
    mutating func add(_ name: String, _ help: String, _ values: DurationHistogram.Values) {
        describe(name, .histogram, help)
        let bounds = DurationHistogram.bounds.map { "\($0.inSeconds)" } + ["+Inf"]
        var count = 0
        for (bound, more) in zip(bounds, values.counts) {
            count += more
            write(name + "_bucket", [("le", bound)], count)
        }
        write(name + "_sum", [], values.sum.inSeconds)
        write(name + "_count", [], count)
    }

    private mutating func describe(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(prefix)\(name) \(help)\n# TYPE \(prefix)\(name) \(kind.rawValue)\n"
    }

    private mutating func write(_ name: String, _ labels: [(String, String)], _ value: some Numeric) {
        let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += "\(prefix)\(name)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
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

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
