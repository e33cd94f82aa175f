internal import TOML

extension ValueType {
    /// A type whose values are TOML strings.
    ///
    /// For an invalid value, `meant` guesses the intended value, and `reason` explains the error where the accepted
    /// form alone does not.
    static func string(
        _ name: String,
        accepted: String,
        range: String? = nil,
        write: @escaping @Sendable (Value) -> String?,
        meant: @escaping @Sendable (String) -> Value? = { _ in nil },
        reason: @escaping @Sendable (String) -> String? = { _ in nil },
        parse: @escaping @Sendable (String) -> Value?
    ) -> ValueType {
        ValueType(
            name: name,
            accepted: accepted,
            range: range,
            read: { value, key, reader in
                guard case .string(let text) = value.content else {
                    reader.report(value.position, key, "\(value.kind) cannot be used", accepted: accepted)
                    return nil
                }
                if let parsed = parse(text) { return parsed }
                let question = meant(text).flatMap(write).map { "; did you mean \(TOMLText.quoted($0))?" } ?? ""
                let because = reason(text).map { ": \($0)" } ?? ""
                let message = "\(TOMLText.quoted(text)) cannot be used" + because + question
                reader.report(value.position, key, message, accepted: accepted)
                return nil
            },
            write: { write($0).map(TOMLText.quoted) }
        )
    }
}

extension ValueType where Value == Bool {
    /// `true` or `false`.
    static let flag = ValueType(
        name: "boolean",
        accepted: "true or false",
        read: { value, key, reader in
            if case .boolean(let flag) = value.content { return flag }
            reader.report(
                value.position,
                key,
                "\(value.kind) cannot be used",
                accepted: "true or false, without quotes"
            )
            return nil
        },
        write: { $0 ? "true" : "false" }
    )
}

extension ValueType where Value == Int {
    /// A whole number.
    static func count(_ range: ClosedRange<Int>) -> ValueType {
        let bounds = "\(range.lowerBound) to \(range.upperBound)"
        let accepted = "a whole number from \(bounds)"
        return ValueType(
            name: "number",
            accepted: accepted,
            range: bounds,
            read: { value, key, reader in
                guard case .integer(let number) = value.content else {
                    reader.report(value.position, key, "\(value.kind) cannot be used", accepted: accepted)
                    return nil
                }
                if let count = Int(exactly: number), range.contains(count) { return count }
                reader.report(value.position, key, "\(number) is out of range", accepted: accepted)
                return nil
            },
            write: { String($0) }
        )
    }

    /// A number of octets: `"64MiB"`.
    static func size(_ range: ClosedRange<Int>) -> ValueType {
        let bounds = "\(Units.size(range.lowerBound)) to \(Units.size(range.upperBound))"
        return .string(
            "size",
            accepted: "a size such as \"64MiB\", from \(bounds)",
            range: bounds,
            write: { Units.size($0) },
            parse: { text in Units.size(text).flatMap { range.contains($0) ? $0 : nil } }
        )
    }

    /// The access mode of a socket: `"0660"`.
    static let fileMode = ValueType.string(
        "file mode",
        accepted: "three octal digits after a zero, in quotes, such as \"0660\"",
        write: { mode in "0" + String(mode, radix: 8) },
        parse: { text in
            guard text.utf8.count == 4, text.hasPrefix("0") else { return nil }
            return Int(text, radix: 8)
        }
    )
}

extension ValueType where Value == Duration {
    /// A duration: `"400ms"`, `"5s"`, `"2m"`, `"1h"`.
    static func duration(_ range: ClosedRange<Duration>) -> ValueType {
        let bounds = "\(Units.duration(range.lowerBound)) to \(Units.duration(range.upperBound))"
        return .string(
            "duration",
            accepted: "a time such as \"400ms\", \"5s\", \"2m\" or \"1h\", from \(bounds)",
            range: bounds,
            write: { Units.duration($0) },
            parse: { text in Units.duration(text).flatMap { range.contains($0) ? $0 : nil } }
        )
    }
}

extension ValueType where Value == Int64 {
    /// A duration in whole seconds; fractions are dropped.
    static func seconds(_ range: ClosedRange<Duration>) -> ValueType {
        ValueType<Duration>.duration(range).map({ $0.components.seconds }, back: { .seconds($0) })
    }
}

extension ValueType where Value == String {
    /// Printable text on one line.
    static func text(_ name: String = "text", accepted: String = "text on one line, in quotes") -> ValueType {
        .string(name, accepted: accepted, write: { $0 }) { text in
            !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? text : nil
        }
    }

    /// A path; a relative path starts at the configuration's directory.
    static let path = ValueType(
        name: "path",
        accepted: "the path of a file, in quotes",
        read: { value, key, reader in
            ValueType.text("path", accepted: "the path of a file, in quotes").read(value, key, &reader).map(
                reader.resolve
            )
        },
        write: { TOMLText.quoted($0) }
    )
}

extension ValueType where Value == String {
    /// The path of a socket, or an empty text for no socket.
    static let socketPath = ValueType(
        name: "path",
        accepted: "the path of a socket, in quotes, or \"\" for none",
        read: { value, key, reader in
            if case .string("") = value.content { return "" }
            let accepted = "the path of a socket, in quotes, or \"\" for none"
            let path = ValueType.text("path", accepted: accepted).read(value, key, &reader).map(reader.resolve)
            guard let path, let problem = ListenAddress.lengthProblem(path) else { return path }
            reader.report(
                value.position,
                key,
                "\(TOMLText.quoted(path)) cannot be used: \(problem)",
                accepted: accepted
            )
            return nil
        },
        write: { TOMLText.quoted($0) }
    )
}

extension ValueType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var word: ValueType { .oneOf(Array(Value.allCases)) { $0.rawValue } }
}

extension ValueType {
    /// One of a few values, each written as a word.
    static func oneOf(_ values: [Value], _ word: @escaping @Sendable (Value) -> String) -> ValueType {
        let words = values.map { TOMLText.quoted(word($0)) }
        let accepted = words.dropLast().joined(separator: ", ") + (words.count > 1 ? " or " : "") + (words.last ?? "")
        return ValueType(
            name: words.joined(separator: " | "),
            accepted: accepted,
            read: { value, key, reader in
                guard case .string(let text) = value.content else {
                    reader.report(value.position, key, "\(value.kind) cannot be used", accepted: accepted)
                    return nil
                }
                if let value = values.first(where: { word($0) == text }) { return value }
                let closest = Suggestion.closest(to: text, of: values.map(word))
                let question = closest.map { "; did you mean \(TOMLText.quoted($0))?" } ?? ""
                reader.report(
                    value.position,
                    key,
                    "\(TOMLText.quoted(text)) cannot be used" + question,
                    accepted: accepted
                )
                return nil
            },
            write: { TOMLText.quoted(word($0)) }
        )
    }

    /// The same type, for an option that stores the value in another form.
    func map<Option: Sendable>(
        _ option: @escaping @Sendable (Value) -> Option,
        back: @escaping @Sendable (Option) -> Value
    ) -> ValueType<Option> {
        ValueType<Option>(
            name: name,
            accepted: accepted,
            range: range,
            read: { [read] value, key, reader in read(value, key, &reader).map(option) },
            write: { [write] in write(back($0)) }
        )
    }

    /// The same type, for an optional setting.
    static func optional<Wrapped: Sendable>(_ type: ValueType<Wrapped>) -> ValueType where Value == Wrapped? {
        ValueType(
            name: type.name,
            accepted: type.accepted,
            range: type.range,
            read: { value, key, reader in type.read(value, key, &reader).map { .some($0) } },
            write: { $0.flatMap { type.write($0) } }
        )
    }

    /// A list of values; a single value may be written without brackets.
    static func list<Element: Sendable>(_ type: ValueType<Element>) -> ValueType where Value == [Element] {
        ValueType(
            name: "list of \(type.name)",
            accepted: "a list, each " + type.accepted,
            read: { value, key, reader in
                guard case .array(let elements) = value.content else {
                    return type.read(value, key, &reader).map { [$0] }
                }
                let values = elements.compactMap { type.read($0, key, &reader) }
                return values.count == elements.count ? values : nil
            },
            write: { "[" + $0.compactMap { type.write($0) }.joined(separator: ", ") + "]" }
        )
    }
}
