internal import NIOHTTP1
internal import PosternSetup

extension AdminResponse {
    /// Values as JSON, each on a line.
    static func json(_ values: [some Encodable]) -> AdminResponse {
        let lines = try? values.flatMap { try JSONReport.line($0) }
        guard let lines else { return AdminResponse(status: .internalServerError, body: "no JSON\n") }
        return AdminResponse(contentType: "application/json", body: String(decoding: lines, as: UTF8.self))
    }
}
