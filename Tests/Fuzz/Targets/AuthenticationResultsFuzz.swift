internal import AuthenticationResults
internal import MailSyntax

/// Reads an input as an Authentication-Results field; what can be read must be known as its service's, and what is
/// written of it must say the same.
func fuzzResults(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    _ = AuthenticationResultsField.belongs(to: Octets("mx.example.org"), value: text[...])
    guard let field = try? AuthenticationResultsField(parsing: text[...]) else { return 0 }
    let isName = field.authservID.allSatisfy { $0.isAlpha || $0.isDigit || $0 == UInt8(ascii: ".") }
    if isName, !field.authservID.isEmpty {
        let upper = field.authservID.text.uppercased()
        expect(AuthenticationResultsField.belongs(to: Octets(upper), value: text[...]), "a forged field stays")
    }
    let value = field.value(lineEnd: "\r\n", comments: true)
    guard let again = try? AuthenticationResultsField(parsing: value[...]) else {
        fatalError("what was written cannot be read")
    }
    expect(again.results.count <= field.results.count)
    var rest = field.results[...]
    for result in again.results {
        // Results and properties may be left out, but not changed.
        guard let index = rest.firstIndex(where: { $0.method == result.method && $0.result == result.result }) else {
            fatalError("a result that was not given")
        }
        let known = rest[index].properties
        rest = rest[(index + 1)...]
        for property in result.properties {
            expect(known.contains { $0.name == property.name && $0.value.starts(with: property.value) })
        }
    }
    return 0
}
