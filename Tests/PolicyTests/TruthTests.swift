import Policy
import Testing

@Suite("Four-valued logic")
struct TruthTests {
    @Test("and, or, not")
    func tables() {
        let all: [Truth] = [.no, .unknown, .unanswered, .yes]
        // In this order "and" is the lesser, "or" the greater, but that what is unknown counts before what is unanswered.
        for (row, left) in all.enumerated() {
            for (column, right) in all.enumerated() {
                #expect((left && right) == all[min(row, column)])
                let either: Truth =
                    left == .yes || right == .yes
                    ? .yes : [left, right].contains(.unknown) ? .unknown : all[max(row, column)]
                #expect((left || right) == either)
            }
        }
        #expect(all.map { !$0 } == [.yes, .unknown, .unanswered, .no])
    }
}
