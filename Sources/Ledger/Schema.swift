/// The tables of a store.
///
/// A migration only adds tables, columns and indexes, so that the programs of one release can read the store of the
/// next. One that cannot keep to this raises `reader`.
enum Schema {
    /// The version that this program makes, and the latest that it writes to.
    static let version = 1
    /// The earliest version of the programs that can read what this program makes.
    static let reader = 1

    /// The statements that lead from the version before to each version, the first from an empty database.
    static let migrations = [first]

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
}
