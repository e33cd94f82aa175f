internal import DKIM
internal import DMARC
internal import DNSLookup
public import MailSyntax
public import Policy
internal import ReverseDNS

/// What a message says of the mailing list that it comes from, by its List-Id fields (RFC 2919).
public struct MailingList: Sendable {
    /// The most domains that are kept.
    private static let maximumDomains = 8

    /// The domains of the fields that can be read.
    public private(set) var domains: [DomainName] = []
    /// Whether somebody of the list's organization vouches for the field.
    public internal(set) var verified = Truth.unknown
    private var fieldCount = 0

    /// Takes a List-Id field.
    mutating func add(_ value: Octets) {
        fieldCount += 1
        if domains.count < Self.maximumDomains, let domain = DomainName(listID: value) { domains.append(domain) }
    }

    /// The domain that can be vouched for: RFC 2919 § 3 allows one field, and readers differ about which of several counts.
    var claim: DomainName? { fieldCount == 1 ? domains.first : nil }
}

/// Those who may vouch for a List-Id: the signers of the field, and the client by its verified name.
///
/// A bare List-Id is what anybody can write.
struct ListVouchers {
    /// The question that is left, if there is one.
    enum Finding {
        case known(Truth)
        case ask(ListInquiry)
    }

    private let domain: DomainName
    private let vouching: [DomainName]
    /// Whether a missing answer hides one.
    private let isOpen: Bool
    private let isWhole: Bool

    /// Looks for them among the results of checks; a result is nil where the check was not made.
    init(of domain: DomainName, _ signatures: [DKIMOutcome]?, _ name: ReverseNameOutcome?) {
        self.domain = domain
        let signers = signatures?.signers(of: "List-Id") ?? []
        func near(_ other: DomainName) -> Bool { other.labelCount > 1 && other.suffix(2) == domain.suffix(2) }
        vouching = (signers.filter { $0.result == .pass }.map(\.domain) + (name?.names ?? [])).filter(near)
        isOpen =
            signers.contains { $0.result == .temperror && near($0.domain) }
            || name?.unansweredNames.contains(where: near) == true
        isWhole = signatures != nil && name != nil
    }

    /// Whether one is of the list's organization.
    ///
    /// Whoever has a domain has the names below it; for others the DNS must say so, if `mayAsk`.
    func finding(mayAsk: Bool, _ alignment: AlignmentMethod) -> Finding {
        if vouching.contains(where: domain.isEqualOrSubdomain) { return .known(.yes) }
        let otherwise: Truth = isOpen ? .unanswered : isWhole ? .no : .unknown
        guard !vouching.isEmpty else { return .known(otherwise) }
        guard mayAsk else { return .known(.unknown) }
        let inquiry = OrganizationInquiry(of: domain, among: vouching, alignment: alignment)
        return .ask(ListInquiry(base: inquiry, otherwise: otherwise))
    }
}

/// Asks whether somebody who vouches is of the list's organization.
struct ListInquiry: DNSInquiry {
    fileprivate let base: OrganizationInquiry
    /// The answer if none of them is.
    fileprivate let otherwise: Truth

    func pass(over answers: inout DNSAnswers) -> Truth? {
        switch base.pass(over: &answers) {
        case .yes?: .yes
        case .no?: otherwise
        case .unanswered?: .unanswered
        case nil: nil
        }
    }
}

extension [DKIMOutcome] {
    /// The domains of the signatures that cover fields of a name, with their results; a key in testing mode is not there.
    fileprivate func signers(of name: StaticString) -> [(domain: DomainName, result: DKIMResult)] {
        var signers = [(DomainName, DKIMResult)]()
        // By index, because an outcome is expensive to copy.
        for index in indices where !self[index].testing {
            guard let signature = self[index].signature,
                signature.headerNames.contains(where: { $0.equalsIgnoringCase(name) })
            else { continue }
            signers.append((signature.domain, self[index].result))
        }
        return signers
    }
}
