import Policy
import Testing

@Suite("Three-valued logic")
struct TruthTests {
    @Test("and, or, not")
    func tables() {
        let all: [Truth] = [.no, .unknown, .yes]
        let and: [[Truth]] = [[.no, .no, .no], [.no, .unknown, .unknown], [.no, .unknown, .yes]]
        let or: [[Truth]] = [[.no, .unknown, .yes], [.unknown, .unknown, .yes], [.yes, .yes, .yes]]
        for (row, left) in all.enumerated() {
            for (column, right) in all.enumerated() {
                #expect((left && right) == and[row][column])
                #expect((left || right) == or[row][column])
            }
        }
        #expect(all.map { !$0 } == [.yes, .unknown, .no])
    }
}
