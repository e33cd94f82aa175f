internal import MailSyntax

/// Why a line cannot be read.
public enum EventReadingError: Error, Hashable, Sendable {
    /// It is not a JSON object.
    case notJSON
    /// It lacks a member that every event has; nested ones with a dot between.
    case missing(String)
    /// A member has another type, or a value that it cannot have.
    case unreadable(String)
    /// It has another version of the format.
    case version(Int)
}

/// The members of an object on a tape.
struct JSONMembers {
    private let tape: JSONTape
    private let place: Int
    /// What stands before the names of its members in messages.
    private let path: String
    /// Where the member behind the last one that was found is: a writer has them in the order of the reader.
    private var cursor: Int

    /// The members of the whole, which must be an object.
    init(_ tape: JSONTape) throws(EventReadingError) {
        guard tape.values.first?.kind == .object else { throw .notJSON }
        self.init(tape, 0, path: "")
    }

    private init(_ tape: JSONTape, _ place: Int, path: String) {
        self.tape = tape
        self.place = place
        self.path = path
        cursor = place + 1
    }

    private func unreadable(_ name: StaticString) -> EventReadingError { .unreadable(path + name.description) }

    /// The place of a member's value; nil when there is none.
    private mutating func find(_ name: StaticString) -> Int? {
        let end = Int(tape.values[place].next)
        for range in [cursor..<max(cursor, end), (place + 1)..<cursor] {
            var index = range.lowerBound
            while index < range.upperBound {
                let key = tape.values[index]
                let next = Int(tape.values[index + 1].next)
                if !key.hasEscapes, tape.octets(key).isEqual(to: name) {
                    cursor = next
                    return index + 1
                }
                index = next
            }
        }
        return nil
    }

    /// The place of a member's value that is not null; nil for one that is, or is not there.
    private mutating func present(_ name: StaticString) -> Int? {
        find(name).flatMap { tape.values[$0].kind == .null ? nil : $0 }
    }

    /// A member that must be there.
    private mutating func required(_ name: StaticString) throws(EventReadingError) -> Int {
        guard let place = find(name) else { throw .missing(path + name.description) }
        return place
    }

    mutating func optionalString(_ name: StaticString) throws(EventReadingError) -> String? {
        guard let place = present(name) else { return nil }
        guard tape.values[place].kind == .string, let text = tape.string(tape.values[place]) else {
            throw unreadable(name)
        }
        return text
    }

    mutating func string(_ name: StaticString) throws(EventReadingError) -> String {
        let place = try required(name)
        guard tape.values[place].kind == .string, let text = tape.string(tape.values[place]) else {
            throw unreadable(name)
        }
        return text
    }

    mutating func integer(_ name: StaticString) throws(EventReadingError) -> Int {
        let place = try required(name)
        guard tape.values[place].kind == .number, let number = tape.integer(tape.values[place]) else {
            throw unreadable(name)
        }
        return number
    }

    mutating func optionalInteger(_ name: StaticString) throws(EventReadingError) -> Int? {
        present(name) == nil ? nil : try integer(name)
    }

    mutating func double(_ name: StaticString) throws(EventReadingError) -> Double {
        let place = try required(name)
        guard tape.values[place].kind == .number, let number = tape.double(tape.values[place]) else {
            throw unreadable(name)
        }
        return number
    }

    mutating func boolean(_ name: StaticString) throws(EventReadingError) -> Bool {
        switch tape.values[try required(name)].kind {
        case .isTrue: return true
        case .isFalse: return false
        default: throw unreadable(name)
        }
    }

    mutating func optionalBoolean(_ name: StaticString) throws(EventReadingError) -> Bool? {
        present(name) == nil ? nil : try boolean(name)
    }

    /// The raw value of a word.
    mutating func word<Word: RawRepresentable<String>>(_ name: StaticString) throws(EventReadingError) -> Word {
        guard let word = Word(rawValue: try string(name)) else { throw unreadable(name) }
        return word
    }

    /// The places of the elements of an array.
    private mutating func elements(_ name: StaticString) throws(EventReadingError) -> [Int] {
        let place = try required(name)
        guard tape.values[place].kind == .array else { throw unreadable(name) }
        var places = [Int]()
        var index = place + 1
        while index < Int(tape.values[place].next) {
            places.append(index)
            index = Int(tape.values[index].next)
        }
        return places
    }

    mutating func strings(_ name: StaticString) throws(EventReadingError) -> [String] {
        var texts = [String]()
        for place in try elements(name) {
            guard tape.values[place].kind == .string, let text = tape.string(tape.values[place]) else {
                throw unreadable(name)
            }
            texts.append(text)
        }
        return texts
    }

    /// The first text of an array, and how many there are.
    mutating func first(_ name: StaticString) throws(EventReadingError) -> (text: String?, count: Int) {
        let places = try elements(name)
        guard let place = places.first else { return (nil, 0) }
        guard tape.values[place].kind == .string, let text = tape.string(tape.values[place]) else {
            throw unreadable(name)
        }
        return (text, places.count)
    }

    mutating func optionalStrings(_ name: StaticString) throws(EventReadingError) -> [String]? {
        present(name) == nil ? nil : try strings(name)
    }

    mutating func integers(_ name: StaticString) throws(EventReadingError) -> [Int] {
        var numbers = [Int]()
        for place in try elements(name) {
            guard tape.values[place].kind == .number, let number = tape.integer(tape.values[place]) else {
                throw unreadable(name)
            }
            numbers.append(number)
        }
        return numbers
    }

    private func members(_ place: Int, _ name: StaticString) throws(EventReadingError) -> JSONMembers {
        guard tape.values[place].kind == .object else { throw unreadable(name) }
        return JSONMembers(tape, place, path: "\(path)\(name).")
    }

    mutating func object<Value>(
        _ name: StaticString,
        _ read: (inout JSONMembers) throws(EventReadingError) -> Value
    ) throws(EventReadingError) -> Value {
        var inner = try members(try required(name), name)
        return try read(&inner)
    }

    mutating func optionalObject<Value>(
        _ name: StaticString,
        _ read: (inout JSONMembers) throws(EventReadingError) -> Value
    ) throws(EventReadingError) -> Value? {
        guard let place = present(name) else { return nil }
        var inner = try members(place, name)
        return try read(&inner)
    }

    mutating func objects<Value>(
        _ name: StaticString,
        _ read: (inout JSONMembers) throws(EventReadingError) -> Value
    ) throws(EventReadingError) -> [Value] {
        var values = [Value]()
        for place in try elements(name) {
            var inner = try members(place, name)
            values.append(try read(&inner))
        }
        return values
    }

    mutating func optionalObjects<Value>(
        _ name: StaticString,
        _ read: (inout JSONMembers) throws(EventReadingError) -> Value
    ) throws(EventReadingError) -> [Value]? {
        present(name) == nil ? nil : try objects(name, read)
    }
}

extension Octets {
    /// Whether these are the octets of a name.
    fileprivate func isEqual(to name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { unsafe elementsEqual($0) }
    }
}
