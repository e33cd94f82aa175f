internal import CLDNS
package import DNSLookup
internal import MailSyntax

/// A question as it goes to a server, and what a reply to it has to repeat.
package struct QueryMessage {
    let identifier: UInt16
    /// Whether the server was told that we know EDNS.
    let hasEDNS: Bool
    /// The message (RFC 1035 § 4.1).
    package let octets: [UInt8]
    /// The question section: name, type and class, as we wrote them.
    let questionSection: ArraySlice<UInt8>

    /// Writes a query; nil when ldns has no memory for it.
    ///
    /// - Parameter ednsSize: the size of reply that we can take over UDP (RFC 6891 § 6.2.3); nil leaves EDNS out.
    package init?(_ question: DNSQuestion, identifier: UInt16, ednsSize: UInt16?) {
        self.init(
            question.name,
            type: ldns_rr_type(rawValue: UInt32(question.type.rawValue)),
            identifier: identifier,
            ednsSize: ednsSize
        )
    }

    /// Asks who serves the root, which every server knows or can find out.
    static func ofRoot(identifier: UInt16) -> QueryMessage? {
        QueryMessage(.root, type: LDNS_RR_TYPE_NS, identifier: identifier, ednsSize: nil)
    }

    private init?(_ name: DomainName, type: ldns_rr_type, identifier: UInt16, ednsSize: UInt16?) {
        let name = name.wire + [0]
        // ldns_rdf_new_frm_data copies the octets. ldns_pkt_query_new takes the name over, unless it returns null.
        guard let field = unsafe ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name.count, name) else { return nil }
        guard let packet = unsafe ldns_pkt_query_new(field, type, LDNS_RR_CLASS_IN, UInt16(LDNS_RD)) else {
            unsafe ldns_rdf_deep_free(field)
            return nil
        }
        defer { unsafe ldns_pkt_free(packet) }
        unsafe ldns_pkt_set_id(packet, identifier)
        if let ednsSize { unsafe ldns_pkt_set_edns_udp_size(packet, ednsSize) }
        // ldns_pkt2wire allocates the octets with malloc; they are ours.
        var wire: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard unsafe ldns_pkt2wire(&wire, packet, &count) == LDNS_STATUS_OK, let wire = unsafe wire else { return nil }
        defer { unsafe free(wire) }
        let section = MessageHeader.size..<MessageHeader.size + name.count + 4
        guard count >= section.upperBound else { return nil }
        self.identifier = identifier
        hasEDNS = ednsSize != nil
        self.octets = unsafe Array(UnsafeBufferPointer(start: wire, count: count))
        self.questionSection = octets[section]
    }

    /// Whether a message is the reply to this query, and not something else that came to the same socket.
    ///
    /// RFC 5452 § 9.1: a resolver has to match the question section (its name, class and type), the identifier, and the
    /// addresses and ports; the last are the business of the connected socket. The name is compared with its case.
    package func isAnswered(by message: [UInt8]) -> Bool {
        guard let header = MessageHeader(message), header.identifier == identifier, header.isReply else { return false }
        if header.questionCount == 0 {
            // Some servers that cannot read a query send its header back alone. It answers nothing, and serves
            // only to ask again without EDNS.
            return header.code == .formatError || header.code == .notImplemented
        }
        return header.questionCount == 1
            && message.dropFirst(MessageHeader.size).prefix(questionSection.count).elementsEqual(questionSection)
    }
}
