import Foundation
import MailEvents
import MailSyntax
import Policy
import RuleTrial

extension Benchmark {
    /// Ten rules tried on a stored message: of a thousand messages, each tenth is refused.
    static let trial = [
        Benchmark("trial", count: 2000) {
            let messages = try (0..<1000).map { try StoredFacts(event(number: $0)).octets }
            let trial = Trial(PolicyEngine(rules: RuleSet(try rules), mode: .enforce))
            var tally = TrialTally(trial)
            var next = 0
            return {
                tally.add(messages[next]) { "4XyZ1" }
                next = (next + 1) % messages.count
                if next == 0 {
                    let actions = TrialReport(tally).actions
                    guard actions.accept == 9 * actions.reject else { throw UnexpectedResult(actions) }
                }
            }
        }
    ]

    private static func event(number: Int) throws -> MailEvent {
        let (author, result) = ("author\(number).example", number % 10 == 0 ? "fail" : "pass")
        let text = """
            {"v":1,"time":1795737600.123,"host":"mx","listener":"unix:x","configuration":"c","id":"4XyZ1",
            "direction":"inbound","addresses":"full","client":{"ip":"192.0.\(number % 256).1","name":"mail.\(author)",
            "helo":"mail.\(author)","trusted":false,"authenticated":false},"mail_from":"bounce+\(number)@\(author)",
            "rcpt_to":["user\(number)@example.org"],"refused_rcpt_to":[],"unnamed_rcpt_to":0,"deferred_rcpt_to":[],
            "author":{"domains":["\(author)"],"count":1,"reading":"readable"},"spf":{"result":"\(result)"},
            "spf_helo":{"result":"none"},"sender_id":{"result":"\(result)","pra":"a@\(author)"},
            "dkim":[{"d":"\(author)","result":"pass","testing":false,"diagnosis":[]}],
            "dmarc":{"result":"pass","published":"reject","effective":"reject","rua":[],"ruf":[],"aligned":["dkim"]},
            "iprev":{"result":"pass","names":["mail.\(author)"],"unanswered":[]},
            "facts":{"dkim":"pass","dkim_aligned":"pass","sender_id_aligned":"\(result)","pra":"a@\(author)"},
            "verdict":{"mode":"enforce","action":"accept","stage":"eom","marks":[],"exempted":[],"trial":[],
            "undecided":[],"refused":[],"removed":0},"signed":[],"dns":{"lookups":3,"cached":1,"starved":0},"ms":12}
            """
        return try JSONDecoder().decode(MailEvent.self, from: Data(text.utf8))
    }

    private static var rules: [Rule] {
        get throws {
            var addresses = AddressSet()
            try addresses.insert("postmaster@")
            var domains = DomainSet()
            for number in 0..<100 { try domains.insert(".partner\(number).example") }
            let networks = NetworkSet([IPNetwork("198.51.100.0/24")].compactMap { $0 })
            return [
                rule("own", [(.fact(.clients), .networks(Choice(wanted: networks)))], .accept),
                rule("postmaster", [(.fact(.recipients), .addresses(Choice(wanted: addresses)))], .accept),
                rule("partners", [(.fact(.clientNames), .domains(Choice(wanted: domains)))], .accept),
                rule("lists", [(.fact(.dkimDomains), .domains(Choice(wanted: domains)))], .accept),
                rule("spf-strict", [words(.spf, .fail)], .reject),
                rule("dmarc", [words(.dmarc, .fail)], .reject),
                rule("dkim", [words(.dkim, .fail), words(.senderID, .fail)], .junk),
                rule("helo", [words(.spfHelo, .fail)], .mark),
                rule("iprev", [words(.iprev, .fail)], .mark),
                rule("senders", [(.fact(.senderDomains), .domains(Choice(wanted: domains)))], .junk),
            ]
        }
    }

    private static func words(_ check: Check, _ word: ResultWord) -> (ConditionName, Condition.Values) {
        var words = WordSet<ResultWord>()
        words.insert(word)
        return (.result(check), .words(Choice(wanted: words)))
    }

    private static func rule(
        _ name: String,
        _ conditions: [(ConditionName, Condition.Values)],
        _ action: RuleAction
    ) -> Rule {
        let location = PolicyLocation(file: "t", line: 1)
        let when = conditions.map { Condition($0.0, $0.1, text: name, location: location) }
        return Rule(name: name, when: when, action: action, location: location)
    }
}
