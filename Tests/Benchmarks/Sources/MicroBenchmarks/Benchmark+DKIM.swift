import DKIM
import DNSLookup
import MailCrypto
import MailSyntax

extension Benchmark {
    /// Hashing, canonicalization, signatures and keys.
    static let dkim = [
        Benchmark("sha256", octets: bodyLength, count: 20) {
            let body = Sample.body(bodyLength)
            return { use(SHA256Hasher.digest(body)) }
        },
        hash(.simple),
        hash(.relaxed),
        Benchmark("dkim-signature-read") {
            let body = Sample.body(1000)
            let headers = try Sample.signedHeaders(Sample.signingKey(.rsa), body: body, body: .relaxed)
            let field = headers[0]
            return { use(try DKIMSignature(field)) }
        },
        verify(.rsa),
        verify(.ed25519),
        Benchmark("dkim-key-record-read") {
            let text = Octets(try Sample.signingKey(.rsa).recordText())
            return { use(try DKIMKeyRecord(text)) }
        },
        Benchmark("dkim-sign-rsa", count: 20) {
            let key = try Sample.signingKey(.rsa)
            let body = Sample.body(3000)
            return { use(try Sample.signedHeaders(key, body: body, body: .relaxed)) }
        },
    ]

    private static let bodyLength = 262_144

    /// A body's way through canonicalization into the hash, in chunks as an MTA sends them.
    private static func hash(_ form: Canonicalization) -> Benchmark {
        Benchmark("dkim-body-\(form)", octets: bodyLength, count: 20) {
            let body = Sample.body(bodyLength)
            let headers = try Sample.signedHeaders(Sample.signingKey(.rsa), body: body, body: form)
            return {
                var verifier = DKIMMessageVerifier(now: Sample.now)
                use(verifier.headerField(headers[0], at: 0))
                var start = 0
                while start < body.count {
                    let end = min(start + 65_535, body.count)
                    unsafe body.withUnsafeBytes {
                        unsafe verifier.body(UnsafeRawBufferPointer(rebasing: $0[start..<end]))
                    }
                    start = end
                }
                verifier.endOfBody()
            }
        }
    }

    /// A message of 3 kB and its signature, the key known already.
    private static func verify(_ kind: PublicKey.Kind) -> Benchmark {
        Benchmark("dkim-verify-\(kind)", count: 50) {
            let body = Sample.body(3000)
            let headers = try Sample.signedHeaders(Sample.signingKey(kind), body: body, body: .relaxed)
            let zone = try Sample.zone()
            return {
                var verifier = DKIMMessageVerifier(now: Sample.now)
                for index in headers.indices { use(verifier.headerField(headers[index], at: index)) }
                verifier.endOfHeaders(headers)
                unsafe body.withUnsafeBytes { unsafe verifier.body($0) }
                let outcomes = verifier.verify { zone.answerAtHand($0) }
                guard outcomes.map(\.result) == [.pass] else { throw UnexpectedResult(outcomes) }
            }
        }
    }
}
