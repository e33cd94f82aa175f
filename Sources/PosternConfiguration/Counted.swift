internal import MailSyntax

/// Numbers of things, in words.
package enum Counted {
    /// `1 rule`, `2 rules`; `plural` is for a noun whose plural is not formed with an s.
    package static func words(_ number: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
        "\(number) " + (number == 1 ? noun : plural ?? noun + "s")
    }

    /// `1 message`, `2,000 messages`.
    package static func grouped(_ number: some BinaryInteger, _ noun: String) -> String {
        number.grouped + " " + (number == 1 ? noun : noun + "s")
    }
}
