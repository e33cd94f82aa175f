internal import TOML

/// The settings of a check that a boolean can replace.
protocol CheckSettings: Sendable {
    /// Whether the check is made.
    var enabled: Bool { get set }
}

extension Setting where Section: CheckSettings {
    /// Whether the check is made.
    static var enabled: Setting { Setting("enabled", \.enabled, .flag, "Whether it is checked.") }
}

extension Setting {
    /// The table of a check; `true` or `false` may replace it.
    static func check<Inner: CheckSettings>(
        _ name: String,
        _ path: any WritableKeyPath<Section, Inner> & Sendable,
        _ settings: [Setting<Inner>],
        _ text: String
    ) -> Setting {
        let table = Setting.table(name, path, settings, text)
        return Setting(
            name: name,
            type: "",
            text: text,
            isRequired: false,
            tables: table.tables,
            read: { value, key, section, reader in
                switch value.content {
                case .boolean(let enabled): section[keyPath: path].enabled = enabled
                case .table: settings.read(value, key, into: &section[keyPath: path], &reader)
                default:
                    reader.report(
                        value.position,
                        key,
                        "\(value.kind) cannot be used",
                        accepted: "true or false, or a table: [\(key)]"
                    )
                }
            },
            write: { _ in nil },
            example: nil
        )
    }
}
