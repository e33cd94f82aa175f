internal import AuthenticationResults
internal import MailSyntax

/// Finds the results of an upstream host of our own in a header, from the top.
///
/// The topmost field of the host with a result of SPF settles it, whether we know the result or not. A host writes all its
/// fields at once, either above its own Received field or right below it: where a field of the host says nothing of SPF, the
/// next Received field ends the search, because what is below is older. Fields with the host's name that come from outside are
/// the host's to delete (RFC 8601 § 5).
struct UpstreamSearch {
    /// Why there are no results.
    enum Problem: Error, Hashable {
        /// There is no field of the host.
        case noField(Octets)
        /// No field of the host has a result of SPF.
        case noSPF
        /// A field of the host has a result of SPF that we do not know.
        case unknownResult
        /// A field that claims to be the host's is malformed.
        case malformed
        /// What the client has said may have ended a comment of the host's, so that its words look like results.
        case ambiguous
    }

    private let authservID: Octets
    private var hasField = false
    /// The results, or why there are none; nil as long as fields are wanted.
    private(set) var outcome: Result<UpstreamResults, Problem>?

    /// A search for the results under this authserv-id.
    init(_ authservID: Octets) {
        self.authservID = authservID
    }

    /// Takes the next field from the top.
    mutating func take(_ field: HeaderField) {
        guard outcome == nil else { return }
        if field.isNamed("Authentication-Results") {
            take(field.value)
        } else if hasField, field.isNamed("Received") {
            outcome = .failure(.noSPF)
        }
    }

    private mutating func take(_ value: Octets) {
        guard let field = try? AuthenticationResultsField(parsing: value) else {
            // A lower field may be older.
            if AuthenticationResultsField.belongs(to: authservID, value: value) { outcome = .failure(.malformed) }
            return
        }
        guard field.authservID.equalsIgnoringCase(authservID) else { return }
        hasField = true
        guard let result = UpstreamResults.result(in: field) else { return }
        guard !UpstreamResults.mayHaveWordsOfClient(field) else {
            outcome = .failure(.ambiguous)
            return
        }
        outcome = UpstreamResults(result, field).map { .success($0) } ?? .failure(.unknownResult)
    }

    /// Ends the header: without results so far, there are none.
    mutating func end() {
        if outcome == nil { outcome = .failure(hasField ? .noSPF : .noField(authservID)) }
    }
}

extension UpstreamSearch.Problem: CustomStringConvertible {
    /// The problem in one printable line.
    var description: String {
        switch self {
        case .noField(let host): "no Authentication-Results of \(FieldText.printable(host, limit: 255)[...].text)"
        case .noSPF: "no SPF in Authentication-Results of the relay"
        case .unknownResult: "unknown result of SPF in Authentication-Results of the relay"
        case .malformed: "Authentication-Results of the relay cannot be read"
        case .ambiguous: "the client's words in Authentication-Results of the relay look like the relay's"
        }
    }
}
