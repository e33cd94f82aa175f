internal import MailSyntax
internal import Policy
internal import TOML

extension Configuration {
    /// Where the configuration is when nothing else is said.
    public static let standardPath = "/etc/postern/postern.toml"

    /// Reads a configuration and the lists that it names.
    ///
    /// - Throws: everything that is wrong with it, not only the first thing.
    public static func load(path: String) throws(ConfigurationError) -> Configuration {
        switch TextFile.read(path) {
        case .success(let text): return try parse(text, file: path)
        case .failure(let failure):
            let problem = ConfigurationProblem(file: path, line: 0, column: 0, key: "", message: failure.description)
            throw ConfigurationError(problems: [problem])
        }
    }

    /// Reads the text of a configuration; `file` stands in its messages, and relative paths start at its folder.
    ///
    /// - Throws: everything that is wrong with it, not only the first thing.
    public static func parse(_ text: String, file: String) throws(ConfigurationError) -> Configuration {
        var reader = ConfigurationReader(file: file)
        var configuration = Configuration()
        do {
            settings.read(try TOMLDocument.parse(text), "", into: &configuration, &reader)
        } catch {
            let (message, accepted) = SyntaxMessage.readable(error.message)
            reader.report(error.position, "", message, accepted: accepted)
            throw ConfigurationError(problems: reader.problems)
        }
        configuration.file = file
        configuration.complete(&reader)
        guard reader.problems.isEmpty else {
            throw ConfigurationError(problems: reader.problems.sorted { $0.isBefore($1, in: file) })
        }
        return configuration
    }

    /// Puts together what takes more than one setting, and looks for combinations that cannot be.
    private mutating func complete(_ reader: inout ConfigurationReader) {
        rules = RuleSet(
            ruleDrafts.enumerated().map { index, draft in draft.rule("rules[\(index + 1)]", &reader) }
        )
        places = reader.positions.mapValues(reader.location)
        for index in signing.indices {
            signing[index].location = PolicyLocation(file: reader.file, line: signing[index].location.line)
        }
        checkNames(&reader)
        checkSockets(&reader)
        checkTimes(&reader)
        checkExclusions(&reader)
        checkSigning(&reader)
        if listen.isEmpty { listen = [Listen()] }
    }

    private func checkNames(_ reader: inout ConfigurationReader) {
        var seen: [String: Int] = [:]
        for (index, draft) in ruleDrafts.enumerated() where !draft.name.isEmpty {
            if let line = seen[draft.name] {
                let message = "the rule of line \(line) has the name \"\(draft.name)\" already"
                reader.report(draft.position, "rules[\(index + 1)].name", message, accepted: "another name")
            }
            seen[draft.name] = seen[draft.name] ?? draft.position.line
        }
    }

    private func checkSockets(_ reader: inout ConfigurationReader) {
        var seen: Set<ListenSocket> = []
        for (index, listen) in listen.enumerated() where !seen.insert(listen.socket).inserted {
            reader.report(
                listen.position,
                "listen[\(index + 1)].socket",
                "\"\(listen.socket)\" is listened on already",
                accepted: "another socket"
            )
        }
    }

    /// Settings that say nothing, or the contrary, beside another.
    private func checkExclusions(_ reader: inout ConfigurationReader) {
        func refuse(_ key: String, when isRefused: Bool, _ message: String, accepted: String) {
            guard isRefused, let position = reader.positions[key] else { return }
            reader.report(position, key, message, accepted: accepted)
        }
        for (index, listen) in listen.enumerated() {
            if case .unix = listen.socket { continue }
            // "config show" writes the mode of every listener: the default is no contradiction.
            for setting in listen.mode == Listen().mode ? ["group"] : ["mode", "group"] {
                let message = "\(listen.socket) is no file, so it has no \(setting)"
                refuse("listen[\(index + 1)].\(setting)", when: true, message, accepted: "a unix: socket with it")
            }
        }
        refuse(
            "dns.servers",
            when: dns.zone != nil && !dns.servers.isEmpty,
            "no server is asked while dns.zone is set",
            accepted: "servers or zone"
        )
        refuse(
            "headers.remove_foreign",
            when: headers.removeForeign && !headers.removeForged,
            "foreign fields cannot go while forged ones stay",
            accepted: "remove_forged = true with it"
        )
        refuse(
            "headers.keep_removed",
            when: headers.keepRemoved && !headers.removeForged,
            "nothing is removed that could be kept",
            accepted: "remove_forged = true with it"
        )
    }

    private func checkTimes(_ reader: inout ConfigurationReader) {
        func check(_ less: Duration, _ key: String, _ more: Duration, _ other: String) {
            guard less > more else { return }
            let message = "\(Units.duration(less)) is more than \(other), which is \(Units.duration(more))"
            let position = reader.positions[key] ?? reader.positions[other] ?? TOMLPosition(line: 1, column: 1)
            reader.report(position, key, message, accepted: "at most \(Units.duration(more))")
        }
        check(dns.attemptTimeout, "dns.attempt_timeout", dns.timeout, "dns.timeout")
        check(dns.cache.minTTL, "dns.cache.min_ttl", dns.cache.maxTTL, "dns.cache.max_ttl")
        check(checks.earlyWait, "checks.early_wait", limits.timeout, "limits.timeout")
    }

    private func checkSigning(_ reader: inout ConfigurationReader) {
        var seen: Set<[DomainName]> = []
        for (index, signing) in signing.enumerated() {
            let path = "signing[\(index + 1)]"
            let position = TOMLPosition(line: signing.location.line, column: 1)
            for key in signing.keys where !seen.insert([signing.domain, key.selector]).inserted {
                let message = "the selector \(key.selector) of \(signing.domain) is there twice"
                reader.report(position, path + ".keys", message, accepted: "a selector of its own for each key")
            }
            let domain = signing.identity.flatMap { MailAddress($0).domain }
            if let identity = signing.identity, domain?.isEqualOrSubdomain(of: signing.domain) != true {
                // RFC 6376 § 3.5: the domain of i= is d= or below it.
                let message = "\"\(identity)\" is not at or below \(signing.domain)"
                reader.report(
                    position,
                    path + ".identity",
                    message,
                    accepted: "\"@\(signing.domain)\" or an address there"
                )
            }
        }
    }
}

extension ConfigurationProblem {
    /// By place, those in the configuration itself first.
    fileprivate func isBefore(_ other: ConfigurationProblem, in configuration: String) -> Bool {
        (file == configuration ? "" : file, line, column) < (
            other.file == configuration ? "" : other.file, other.line, other.column
        )
    }
}
