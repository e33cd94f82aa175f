internal import Policy
internal import PosternConfiguration

extension Configuration {
    /// The protections of this configuration that the next one lacks: perhaps on purpose, perhaps because the file was
    /// cut off.
    func losses(to next: Configuration) -> [String] {
        var losses = [String]()
        if mode == .enforce, next.mode == .observe {
            losses.append("the rules no longer act: mode was \"enforce\" and is \"observe\"")
        }
        if !rules.rules.isEmpty, next.rules.rules.isEmpty {
            losses.append("there are no rules any more: there were \(rules.rules.count)")
        }
        if !signing.isEmpty, next.signing.isEmpty {
            let domains = signing.flatMap(\.allDomains).map { "\($0)" }.joined(separator: ", ")
            losses.append("nothing is signed any more: there was a [[signing]] table for \(domains)")
        }
        if sealing.signing != nil, next.sealing.signing == nil {
            losses.append("nothing is sealed any more: there was a [sealing] table for \(sealing.domain)")
        }
        return losses
    }
}
