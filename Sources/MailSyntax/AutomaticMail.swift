extension HeaderBlock {
    /// Whether a program sent the message and says so (RFC 3834 § 5), or it is a DMARC report by its Subject.
    ///
    /// One pass, and no view of a value but of those two.
    public var isAutoSubmitted: Bool {
        indices.contains { index in
            switch nameLength(at: index) {
            case 14: hasName("Auto-Submitted", at: index) && !value(at: index).saysNo
            case 7: hasName("Subject", at: index) && value(at: index).isSubjectOfReport
            default: false
            }
        }
    }
}

extension ArraySlice<UInt8> {
    /// RFC 3834 § 5: `auto-submitted-field = "Auto-Submitted:" [CFWS] auto-submitted [CFWS] CRLF`.
    fileprivate var saysNo: Bool {
        var scanner = FieldScanner(self)
        do throws(StructuredFieldError) {
            try scanner.skipCFWS()
            let keyword = scanner.atom()
            try scanner.skipCFWS()
            return keyword.equalsIgnoringCase("no") && (scanner.next == nil || scanner.next == UInt8(ascii: ";"))
        } catch {
            return false
        }
    }

    /// RFC 9990 § 3.5.2: `Report Domain: DOMAIN Submitter: DOMAIN`; RFC 7489 § 7.2.1.1 left the case of letters open.
    fileprivate var isSubjectOfReport: Bool {
        let start = drop { $0.isWSP || $0 == .cr || $0 == .lf }
        // Nearly every Subject ends here, before anything is allocated.
        guard start.prefix(6).equalsIgnoringCase("report") else { return false }
        let words = start.split(maxSplits: 5) { $0.isWSP || $0 == .cr || $0 == .lf }
        return words.count > 4 && words[0].count == 6 && words[1].equalsIgnoringCase("domain:")
            && words[3].equalsIgnoringCase("submitter:")
    }
}
