public import ArgumentParser
public import MailSyntax

/// Reads names and times from the command line.
public enum Names {
    /// A domain name, possibly internationalized; `what` names the argument.
    public static func domain(_ text: String, _ what: String) throws(ValidationError) -> DomainName {
        guard let name = try? DomainName(unicode: Octets(text)) else {
            throw ValidationError("\(what): '\(text)' is no domain name; expected one such as example.org")
        }
        return name
    }

    /// A domain name whose labels contain only letters, digits and hyphens, like the names of a DKIM key; `kind` says
    /// in a word what the name is for.
    public static func hostName(
        _ text: String,
        _ what: String,
        kind: String,
        example: String
    ) throws(ValidationError) -> DomainName {
        guard let name = try? DomainName(unicode: Octets(text)), name.isHostName else {
            throw ValidationError("\(what): '\(text)' is no \(kind); expected one such as \(example)")
        }
        return name
    }

    /// A time such as `90`, `400s`, `2m`, `1h`, `7d` or `1w`, in seconds.
    public static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Int64(unit == nil ? text[...] : text.dropLast()), number > 0 else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        return overflow ? nil : seconds
    }
}
