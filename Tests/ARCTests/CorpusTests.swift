import ARC
import DNSLookup
import FoundationEssentials
import TestSupport
import Testing
import Yams

/// ValiMail's suite, which was written for draft 18 of RFC 8617.
@Suite("ValiMail's suite for ARC", .published("arc-valimail"))
struct PublishedChainTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var message: [UInt8]
        var result: String
        var zone: DNSZone
        var testDescription: String { name }
    }

    /// The cases in which RFC 8617 differs from the draft.
    ///
    /// The suite expects no result of a chain with `cv=fail`, where the draft stopped; RFC 8617 § 5.2, step 2, says "fail".
    /// It reads a message signature without `c=` as relaxed/relaxed; RFC 8617 § 4.1.2 has the tags of RFC 6376 § 3.5, where
    /// it is simple/simple.
    static let differences: Set<String> = [
        "cv_fail_i1_as_cv_fail", "cv_fail_i2_as2_fail", "cv_fail_i2_as1_fail", "ams_fields_c_na",
    ]

    /// The documents, each name in a document once: four names of the suite occur twice.
    static func documents() throws -> [String] {
        var documents = [[String]]()
        var names = Set<String>()
        let file = try Corpora.read("arc-valimail/tests/arc-draft-validation-tests.yml")
        for line in String(decoding: file, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("---") || documents.isEmpty { documents.append([]) }
            let isName = line.hasPrefix("  ") && !line.hasPrefix("   ") && line.hasSuffix(":")
            let isAgain = isName && !names.insert("\(documents.count)\(line)").inserted
            documents[documents.count - 1].append(isAgain ? line.dropLast() + "_again:" : String(line))
        }
        return documents.map { $0.joined(separator: "\n") }
    }

    static func read() throws -> [Case] {
        try documents().compactMap { try Yams.compose(yaml: $0) }.flatMap { document in
            let records = (document["txt-records"]?.mapping ?? [:]).compactMap { name, text in
                name.string.flatMap { name in text.string.map { (name, $0) } }
            }
            let zone = try Verification.zone(records)
            return (document["tests"]?.mapping ?? [:]).map { name, node in
                let name = name.string ?? ""
                let message = (node["message"]?.string ?? "").replacing("\n", with: "\r\n")
                let result = differences.contains(name) ? "fail" : (node["cv"]?.string ?? "").lowercased()
                return Case(name: name, message: [UInt8](message.utf8), result: result, zone: zone)
            }
        }
    }

    @Test("all cases are there") func count() throws {
        #expect(try Self.read().count == 175)
    }

    @Test("each case", arguments: (try? read()) ?? [])
    func verifies(_ vector: Case) async {
        let outcome = await Verification.outcome(of: vector.message, vector.zone)
        #expect(outcome.result.rawValue == vector.result, "\(outcome.trace)")
    }
}
