import DMARC
import DNSLookup
import MailSyntax

extension DNSResolving {
    func discover(_ author: AuthorIdentity, _ alignment: AlignmentMethod = .walk) async -> DMARCDiscovery {
        await outcome(of: DMARCPolicyInquiry(of: author, alignment: alignment))
    }

    func discover(_ author: DomainName, _ alignment: AlignmentMethod = .walk) async -> DMARCDiscovery {
        await discover(.domain(author, []), alignment)
    }

    func evaluate(
        _ discovery: DMARCDiscovery,
        spf: DomainName?,
        dkim: [DomainName],
        _ alignment: AlignmentMethod = .walk
    ) async -> DMARCOutcome {
        await outcome(of: DMARCInquiry(discovery, DMARCIdentifiers(spf: spf, dkim: dkim), alignment: alignment))
    }
}
