internal import CLDNS
package import DNSLookup
internal import MailSyntax

/// A question in wire format, and the parts that a reply to it must repeat.
package struct QueryMessage {
    let identifier: UInt16
    /// Whether the query says that we support EDNS.
    let hasEDNS: Bool
    /// The message (RFC 1035 § 4.1).
    package let octets: [UInt8]
    /// The question section: name, type and class, exactly as sent.
    let questionSection: ArraySlice<UInt8>

    /// Writes a query; nil when ldns runs out of memory.
    ///
    /// - Parameter ednsSize: the greatest size of reply that we accept over UDP (RFC 6891 § 6.2.3); nil leaves EDNS
    ///   out.
    package init?(_ question: DNSQuestion, identifier: UInt16, ednsSize: UInt16?) {
        self.init(
            question.name,
            type: ldns_rr_type(rawValue: UInt32(question.type.rawValue)),
            identifier: identifier,
            ednsSize: ednsSize
        )
    }

    /// Asks for the name servers of the root, which every server knows or can find out.
    static func ofRoot(identifier: UInt16) -> QueryMessage? {
        QueryMessage(.root, type: LDNS_RR_TYPE_NS, identifier: identifier, ednsSize: nil)
    }

    private init?(_ name: DomainName, type: ldns_rr_type, identifier: UInt16, ednsSize: UInt16?) {
        let name = name.wire + [0]
        // ldns_rdf_new_frm_data copies the octets. ldns_pkt_query_new takes ownership of the name, unless it returns
        // null.
        guard let field = unsafe ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name.count, name) else { return nil }
        guard let packet = unsafe ldns_pkt_query_new(field, type, LDNS_RR_CLASS_IN, UInt16(LDNS_RD)) else {
            unsafe ldns_rdf_deep_free(field)
            return nil
        }
        defer { unsafe ldns_pkt_free(packet) }
        unsafe ldns_pkt_set_id(packet, identifier)
        if let ednsSize { unsafe ldns_pkt_set_edns_udp_size(packet, ednsSize) }
        // ldns_pkt2wire allocates the octets with malloc; we own them.
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

    /// Whether a message is the reply to this query, and not an unrelated message on the same socket.
    ///
    /// RFC 5452 § 9.1: a resolver must match the question section (its name, class and type), the identifier, and the
    /// addresses and ports; the connected socket matches the last two. The comparison of the name is case-sensitive.
    package func isAnswered(by message: [UInt8]) -> Bool {
        guard let header = MessageHeader(message), header.identifier == identifier, header.isReply else { return false }
        if header.questionCount == 0 {
            // Some servers that cannot read a query return only its header. Such a reply does not answer the question,
            // and only causes another query without EDNS.
            return header.code == .formatError || header.code == .notImplemented
        }
        return header.questionCount == 1
            && message.dropFirst(MessageHeader.size).prefix(questionSection.count).elementsEqual(questionSection)
    }
}
