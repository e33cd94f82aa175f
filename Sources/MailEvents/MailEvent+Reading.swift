public import MailSyntax

extension MailEvent {
    /// Reads the line of a segment.
    ///
    /// It reads what `Decodable` reads, in a tenth of the time. A member that may be null may also be missing.
    public init(line: Octets) throws(EventReadingError) {
        guard let tape = JSONTape(line) else { throw .notJSON }
        var members = try JSONMembers(tape)
        v = try members.integer("v")
        guard v == Self.version else { throw .version(v) }
        time = try members.double("time")
        host = try members.string("host")
        listener = try members.string("listener")
        configuration = try members.string("configuration")
        id = try members.optionalString("id")
        direction = try members.word("direction")
        addresses = try members.word("addresses")
        client = try members.object("client", Client.init)
        relay = try members.optionalObject("relay", Relay.init)
        mailFrom = try members.string("mail_from")
        rcptTo = try members.strings("rcpt_to")
        refusedRcptTo = try members.strings("refused_rcpt_to")
        unnamedRcptTo = try members.integer("unnamed_rcpt_to")
        deferredRcptTo = try members.strings("deferred_rcpt_to")
        rcptStage = try members.optionalObject("rcpt_stage", RecipientStage.init)
        messageID = try members.optionalString("message_id")
        autoSubmitted = try members.optionalBoolean("auto_submitted")
        octets = try members.optionalInteger("octets")
        author = try members.optionalObject("author", Author.init)
        spf = try members.optionalObject("spf", SPF.init)
        spfHelo = try members.optionalObject("spf_helo", SPF.init)
        senderID = try members.optionalObject("sender_id", SenderID.init)
        dkim = try members.optionalObjects("dkim", Signature.init)
        dmarc = try members.optionalObject("dmarc", DMARC.init)
        arc = try members.optionalObject("arc", ARC.init)
        iprev = try members.optionalObject("iprev", ReverseName.init)
        facts = try members.optionalObject("facts", DerivedFacts.init)
        verdict = try members.object("verdict", Verdict.init)
        signed = try members.strings("signed")
        unsigned = try members.optionalString("unsigned")
        sealed = try members.optionalObject("sealed", Seal.init)
        problem = try members.optionalString("problem")
        dns = try members.object("dns", DNS.init)
        ms = try members.integer("ms")
    }
}

extension MailEvent.Client {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        ip = try members.optionalString("ip")
        name = try members.optionalString("name")
        helo = try members.string("helo")
        trusted = try members.boolean("trusted")
        authenticated = try members.boolean("authenticated")
        login = try members.optionalString("login")
    }
}

extension MailEvent.Relay {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        ip = try members.string("ip")
        state = try members.string("state")
    }
}

extension RecipientStage {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        answered = try members.boolean("answered")
        early = try members.objects("early", Early.init)
        obstacle = try members.optionalString("obstacle")
    }
}

extension RecipientStage.Early {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        known = try members.strings("known")
        rcptTo = try members.integers("rcpt_to")
        refusedRcptTo = try members.integers("refused_rcpt_to")
    }
}

extension MailEvent.Author {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        domains = try members.strings("domains")
        count = try members.integer("count")
        reading = try members.string("reading")
    }
}

extension MailEvent.SPF {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        result = try members.string("result")
        domain = try members.optionalString("domain")
        mechanism = try members.optionalString("mechanism")
        explanation = try members.optionalString("explanation")
        problem = try members.optionalString("problem")
    }
}

extension MailEvent.SenderID {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        result = try members.string("result")
        pra = try members.optionalString("pra")
        header = try members.optionalString("header")
        domain = try members.optionalString("domain")
        mechanism = try members.optionalString("mechanism")
        explanation = try members.optionalString("explanation")
        problem = try members.optionalString("problem")
    }
}

extension MailEvent.Signature {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        d = try members.optionalString("d")
        s = try members.optionalString("s")
        a = try members.optionalString("a")
        result = try members.string("result")
        aligned = try members.optionalString("aligned")
        testing = try members.boolean("testing")
        problem = try members.optionalString("problem")
        diagnosis = try members.strings("diagnosis")
    }
}

extension MailEvent.DMARC {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        result = try members.string("result")
        from = try members.optionalString("from")
        domain = try members.optionalString("domain")
        organizational = try members.optionalString("organizational")
        method = try members.optionalString("method")
        published = try members.optionalString("published")
        effective = try members.optionalString("effective")
        tags = try members.optionalObject("tags", Tags.init)
        rua = try members.strings("rua")
        ruf = try members.strings("ruf")
        aligned = try members.strings("aligned")
        override = try members.optionalObject("override", Override.init)
        problem = try members.optionalString("problem")
    }
}

extension MailEvent.DMARC.Override {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        type = try members.string("type")
        comment = try members.string("comment")
    }
}

extension MailEvent.DMARC.Tags {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        p = try members.optionalString("p")
        sp = try members.optionalString("sp")
        np = try members.optionalString("np")
        adkim = try members.string("adkim")
        aspf = try members.string("aspf")
        fo = try members.string("fo")
        t = try members.string("t")
        psd = try members.string("psd")
    }
}

extension MailEvent.Seal {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        domain = try members.string("domain")
        selector = try members.string("selector")
        instance = try members.integer("instance")
        cv = try members.string("cv")
    }
}

extension MailEvent.ARC {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        result = try members.string("result")
        instances = try members.integer("instances")
        sealer = try members.optionalString("sealer")
        sealers = try members.strings("sealers")
        oldestPass = try members.optionalInteger("oldest_pass")
        vouches = try members.boolean("vouches")
        problem = try members.optionalString("problem")
    }
}

extension MailEvent.ReverseName {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        result = try members.string("result")
        names = try members.strings("names")
        unanswered = try members.strings("unanswered")
        problem = try members.optionalString("problem")
    }
}

extension MailEvent.DerivedFacts {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        dkim = try members.optionalString("dkim")
        dkimAligned = try members.optionalString("dkim_aligned")
        senderIDAligned = try members.optionalString("sender_id_aligned")
        pra = try members.optionalString("pra")
        listID = try members.optionalStrings("list_id")
        listVerified = try members.optionalString("list_verified")
        forwarded = try members.optionalString("forwarded")
        spfOpen = try members.optionalString("spf_open")
        permittedBy = try members.optionalStrings("permitted_by")
    }
}

extension MailEvent.Verdict {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        mode = try members.string("mode")
        action = try members.string("action")
        stage = try members.string("stage")
        rule = try members.optionalString("rule")
        reply = try members.optionalString("reply")
        would = try members.optionalObject("would", Match.init)
        marks = try members.strings("marks")
        exempted = try members.strings("exempted")
        trial = try members.objects("trial", Match.init)
        undecided = try members.objects("undecided", Undecided.init)
        refused = try members.objects("refused", Refusal.init)
        partial = try members.optionalObject("partial", Partial.init)
        removed = try members.integer("removed")
    }
}

extension MailEvent.Verdict.Match {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        action = try members.string("action")
        rule = try members.optionalString("rule")
        stage = try members.string("stage")
    }
}

extension MailEvent.Verdict.Undecided {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        rule = try members.string("rule")
        condition = try members.string("condition")
    }
}

extension MailEvent.Verdict.Refusal {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        action = try members.string("action")
        rule = try members.optionalString("rule")
        reply = try members.optionalString("reply")
        refusedRcptTo = try members.integers("refused_rcpt_to")
    }
}

extension MailEvent.Verdict.Partial {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        outcomes = try members.objects("outcomes", Outcome.init)
        putOff = try members.boolean("put_off")
    }
}

extension MailEvent.Verdict.Partial.Outcome {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        action = try members.string("action")
        rule = try members.optionalString("rule")
        stage = try members.string("stage")
        rcptTo = try members.integers("rcpt_to")
    }
}

extension MailEvent.DNS {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        lookups = try members.integer("lookups")
        cached = try members.integer("cached")
        starved = try members.integer("starved")
        answers = try members.optionalObjects("answers", Answer.init)
    }
}

extension MailEvent.DNS.Answer {
    fileprivate init(_ members: inout JSONMembers) throws(EventReadingError) {
        name = try members.string("name")
        type = try members.string("type")
        outcome = try members.string("outcome")
        ttl = try members.optionalInteger("ttl")
        source = try members.string("source")
        records = try members.strings("records")
    }
}
