/// The tables of a store.
///
/// A migration only adds tables, columns and indexes, so that the programs of one release can read the store of the
/// next. One that cannot keep to this raises `reader`.
enum Schema {
    /// The version that this program makes, and the latest that it writes to.
    static let version = 2
    /// The earliest version of the programs that can read what this program makes.
    static let reader = 1

    /// The statements that lead from the version before to each version, the first from an empty database.
    static let migrations = [first, second]

    /// `message.id` is the time in milliseconds since 1970, times 4096, and a number that tells messages of one
    /// millisecond apart: every index therefore gives its messages in the order of time.
    ///
    /// Addresses are kept as `domain@local`, in lower case, so that one index finds an address and a domain.
    private static let first = """
        CREATE TABLE schema (version INTEGER NOT NULL, reader INTEGER NOT NULL);
        INSERT INTO schema VALUES (0, 0);
        CREATE TABLE batch (
            host TEXT NOT NULL, boot TEXT NOT NULL, sequence INTEGER NOT NULL,
            taken INTEGER NOT NULL, messages INTEGER NOT NULL, rejected INTEGER NOT NULL,
            PRIMARY KEY (host, boot, sequence)
        ) WITHOUT ROWID;
        CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE trouble (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, text TEXT NOT NULL);
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            queue TEXT, author TEXT, client BLOB, client_name TEXT, helo TEXT, sender TEXT,
            action TEXT NOT NULL, rule TEXT, would TEXT,
            spf TEXT, spf_helo TEXT, sender_id TEXT, dkim TEXT, dmarc TEXT, iprev TEXT,
            facts BLOB NOT NULL
        );
        CREATE INDEX message_queue ON message (queue);
        CREATE INDEX message_author ON message (author);
        CREATE INDEX message_client ON message (client);
        CREATE INDEX message_sender ON message (sender);
        CREATE TABLE event (id INTEGER PRIMARY KEY, json BLOB NOT NULL);
        CREATE TABLE answer (id INTEGER PRIMARY KEY, json BLOB NOT NULL);
        CREATE TABLE recipient (
            message INTEGER NOT NULL, address TEXT NOT NULL, PRIMARY KEY (message, address)
        ) WITHOUT ROWID;
        CREATE INDEX recipient_address ON recipient (address, message);
        CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
        CREATE TABLE tag (
            word INTEGER NOT NULL, message INTEGER NOT NULL, PRIMARY KEY (word, message)
        ) WITHOUT ROWID;
        """

    /// What domain owners are told (RFC 9990).
    ///
    /// A report is a policy configuration of a policy domain on a day of UTC, whose number is in days since 1970. Its rows
    /// and its policy are kept as `AggregateReports` writes them, and found by the first octets of their SHA-256. Its owner
    /// is the organization that has the domain; its entries are how many rows there are, of how many octets. A delivery is a report for one destination; it has a `due` as long as something remains to be done.
    private static let second = """
        CREATE TABLE report_mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE report_day (
            day INTEGER PRIMARY KEY, counted INTEGER NOT NULL, late INTEGER NOT NULL
        );
        CREATE TABLE report_host (host TEXT PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE report_gate (domain TEXT PRIMARY KEY, passed INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE report (
            id INTEGER PRIMARY KEY,
            day INTEGER NOT NULL, domain TEXT NOT NULL, owner TEXT NOT NULL,
            hash BLOB NOT NULL, policy BLOB NOT NULL,
            messages INTEGER NOT NULL, causing INTEGER NOT NULL,
            entries INTEGER NOT NULL, octets INTEGER NOT NULL, folded INTEGER NOT NULL, further INTEGER NOT NULL,
            kept INTEGER NOT NULL, state TEXT NOT NULL, organization TEXT, address TEXT
        );
        CREATE UNIQUE INDEX report_key ON report (domain, day, hash);
        CREATE INDEX report_of_day ON report (day, owner, state);
        CREATE INDEX report_open ON report (day) WHERE state = 'open';
        CREATE INDEX report_kept ON report (day, octets, entries) WHERE kept = 1;
        CREATE TABLE report_row (
            report INTEGER NOT NULL, hash BLOB NOT NULL, record BLOB NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (report, hash)
        ) WITHOUT ROWID;
        CREATE TABLE report_delivery (
            id INTEGER PRIMARY KEY,
            report INTEGER NOT NULL, destination TEXT NOT NULL, host TEXT NOT NULL,
            state TEXT NOT NULL, due INTEGER, began INTEGER, last INTEGER, attempts INTEGER NOT NULL,
            recipient TEXT, detail TEXT
        );
        CREATE INDEX report_delivery_report ON report_delivery (report);
        CREATE INDEX report_delivery_due ON report_delivery (due) WHERE due IS NOT NULL;
        CREATE INDEX report_delivery_last ON report_delivery (last);
        CREATE TABLE report_suppression (
            destination TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER, length INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) WITHOUT ROWID;
        """
}
