internal import DKIM
internal import DNSResolver
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import TOML

extension Configuration {
    /// The default path of the configuration.
    public static let standardPath = "/etc/postern/postern.toml"

    /// Reads a configuration and its lists.
    ///
    /// - Throws: all problems, not only the first.
    public static func load(path: String) throws(ConfigurationError) -> Configuration {
        try read(path: path).get()
    }

    /// Reads the text of a configuration; messages name `file`, and relative paths start at its directory.
    ///
    /// - Throws: all problems, not only the first.
    public static func parse(_ text: String, file: String) throws(ConfigurationError) -> Configuration {
        try read(text, file: file).get()
    }

    /// Reads a configuration and its lists, as far as they can be read.
    ///
    /// - Parameter whenOpen: called after the text was read, and before any file that it names is examined.
    public static func read(path: String, whenOpen: () -> Void = {}) -> ConfigurationReading {
        var reader = ConfigurationReader(file: path)
        let text = TextFile.read(path)
        whenOpen()
        switch text {
        case .success(let text): return read(text, file: path, mayBeEmpty: false)
        case .failure(.notUTF8(let place)): reader.report(place.position, "", place.message, accepted: place.accepted)
        case .failure(.absent):
            reader.report(
                TOMLPosition(line: 0, column: 0),
                "",
                TextFile.Failure.absent.description,
                command: sampleCommand(path)
            )
        case .failure(let failure): reader.report(TOMLPosition(line: 0, column: 0), "", failure.description)
        }
        return ConfigurationReading(configuration: nil, problems: reader.problems)
    }

    /// The command that creates a first configuration, and its directory if that is missing too.
    private static func sampleCommand(_ path: String) -> String {
        let show = "postern config show --commented >\(ShellCommand.word(path))"
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return show }
        let directory = String(path[..<slash])
        guard case .failure(.absent) = TextFile.read(directory) else { return show }
        return "install -d \(ShellCommand.word(directory)) && \(show)"
    }

    private static func read(_ text: String, file: String, mayBeEmpty: Bool = true) -> ConfigurationReading {
        var reader = ConfigurationReader(file: file)
        reader.hash.add(text)
        do {
            let document = try TOMLDocument.parse(text)
            // A full disk, or an editor that crashed, must not switch the rules off.
            guard mayBeEmpty || document.hasSettings else {
                reader.report(
                    document.position,
                    "",
                    "there is not a single setting in this file",
                    accepted: "at least one, as mode = \"observe\""
                )
                return ConfigurationReading(configuration: nil, problems: reader.problems)
            }
            var configuration = Configuration()
            settings.read(document, "", into: &configuration, &reader)
            configuration.file = file
            configuration.complete(&reader)
            configuration.contentHash = reader.hash.value
            reader.noteDocumentationNames(document)
            configuration.documentationValues = reader.documentationValues
            configuration.emptyLists = reader.emptyLists
            return ConfigurationReading(configuration: configuration, problems: reader.problems.inOrder(of: file))
        } catch {
            let syntax = SyntaxMessage(error, in: text)
            reader.report(error.position, "", syntax.message, accepted: syntax.accepted)
            return ConfigurationReading(configuration: nil, problems: reader.problems)
        }
    }

    /// Completes the parts that depend on several settings, and reports invalid combinations.
    private mutating func complete(_ reader: inout ConfigurationReader) {
        rules = RuleSet(
            ruleDrafts.enumerated().map { index, draft in draft.rule("rules[\(index + 1)]", &reader) }
        )
        places = reader.positions.mapValues(reader.location)
        for index in signing.indices {
            signing[index].location = PolicyLocation(file: reader.file, line: signing[index].location.line)
        }
        checkNames(&reader)
        checkForwarders(&reader)
        checkPermits(&reader)
        checkSockets(&reader)
        checkTimes(&reader)
        checkExclusions(&reader)
        checkSigning(&reader)
        sealing.location = places["sealing"] ?? sealing.location
        sealing.check(&reader)
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
        var seen: Set<ListenAddress> = []
        let unread = Set(reader.problems.map(\.key))
        for (index, listen) in listen.enumerated()
        where !unread.contains("listen[\(index + 1)].socket") && !seen.insert(listen.socket).inserted {
            reader.report(
                listen.position,
                "listen[\(index + 1)].socket",
                "\"\(listen.socket)\" is listened on already",
                accepted: "another socket"
            )
        }
    }

    /// Reports settings that have no effect beside another setting, or contradict it.
    private func checkExclusions(_ reader: inout ConfigurationReader) {
        func refuse(_ key: String, when isRefused: Bool, _ message: String, accepted: String) {
            guard isRefused, let position = reader.positions[key] else { return }
            reader.report(position, key, message, accepted: accepted)
        }
        for (index, listen) in listen.enumerated() {
            if case .unix = listen.socket { continue }
            // "config show" writes the mode of every listener: the default is not a contradiction.
            for setting in listen.mode == Listen().mode ? ["group"] : ["mode", "group"] {
                let message = "\(listen.socket) is no file, so it has no \(setting)"
                refuse("listen[\(index + 1)].\(setting)", when: true, message, accepted: "a unix: socket with it")
            }
        }
        refuse(
            "dns.servers",
            when: dns.zone != nil && !dns.options.servers.isEmpty,
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
        check(dns.options.attemptTimeout, "dns.attempt_timeout", dns.options.timeout, "dns.timeout")
        let cache = dns.cache.options
        check(cache.minimumTTL, "dns.cache.min_ttl", cache.maximumTTL, "dns.cache.max_ttl")
        check(checks.earlyWait, "checks.early_wait", limits.timeout, "limits.timeout")
    }
}

extension TOMLValue {
    /// Whether there is more than tables without entries.
    fileprivate var hasSettings: Bool {
        switch content {
        case .table(let entries): entries.contains { $0.value.hasSettings }
        // A bare [[name]], but not an empty list.
        case .array(let elements): elements.isEmpty || elements.contains { $0.hasSettings }
        default: true
        }
    }
}
