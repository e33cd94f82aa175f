-- The events of postern(8) as a table of DuckDB: what event.schema.json describes.
--
--     postern-ledger export > events.json
--     duckdb mail.duckdb < /usr/share/postern/events.duckdb.sql
--     duckdb mail.duckdb "COPY event FROM 'events.json' (FORMAT json)"
--     duckdb mail.duckdb "SELECT verdict.rule, count(*) FROM event GROUP BY ALL ORDER BY 2 DESC"
CREATE TABLE event (
    v INTEGER NOT NULL,
    time DOUBLE NOT NULL,
    host VARCHAR NOT NULL,
    listener VARCHAR NOT NULL,
    configuration VARCHAR NOT NULL,
    id VARCHAR,
    direction VARCHAR NOT NULL,
    addresses VARCHAR NOT NULL,
    client STRUCT(
        ip VARCHAR, name VARCHAR, helo VARCHAR, trusted BOOLEAN, authenticated BOOLEAN, login VARCHAR
    ) NOT NULL,
    relay STRUCT(ip VARCHAR, state VARCHAR),
    mail_from VARCHAR NOT NULL,
    rcpt_to VARCHAR[] NOT NULL,
    refused_rcpt_to VARCHAR[] NOT NULL,
    deferred_rcpt_to VARCHAR[] NOT NULL,
    unnamed_rcpt_to INTEGER NOT NULL,
    rcpt_stage STRUCT(
        answered BOOLEAN,
        early STRUCT(known VARCHAR[], rcpt_to INTEGER[], refused_rcpt_to INTEGER[])[],
        obstacle VARCHAR
    ),
    message_id VARCHAR,
    auto_submitted BOOLEAN,
    octets BIGINT,
    ms INTEGER NOT NULL,
    problem VARCHAR,
    author STRUCT(domains VARCHAR[], count INTEGER, reading VARCHAR),
    spf STRUCT(result VARCHAR, domain VARCHAR, mechanism VARCHAR, explanation VARCHAR, problem VARCHAR),
    spf_helo STRUCT(result VARCHAR, domain VARCHAR, mechanism VARCHAR, explanation VARCHAR, problem VARCHAR),
    sender_id STRUCT(
        result VARCHAR, pra VARCHAR, header VARCHAR, domain VARCHAR, mechanism VARCHAR, explanation VARCHAR,
        problem VARCHAR
    ),
    dkim STRUCT(
        d VARCHAR, s VARCHAR, a VARCHAR, result VARCHAR, aligned VARCHAR, testing BOOLEAN, problem VARCHAR,
        diagnosis VARCHAR[]
    )[],
    dmarc STRUCT(
        result VARCHAR, "from" VARCHAR, domain VARCHAR, organizational VARCHAR, method VARCHAR, published VARCHAR,
        effective VARCHAR,
        tags STRUCT(
            p VARCHAR, sp VARCHAR, np VARCHAR, adkim VARCHAR, aspf VARCHAR, fo VARCHAR, t VARCHAR, psd VARCHAR
        ),
        rua VARCHAR[], ruf VARCHAR[], aligned VARCHAR[],
        override STRUCT(type VARCHAR, "comment" VARCHAR), problem VARCHAR
    ),
    arc STRUCT(
        result VARCHAR, instances INTEGER, sealer VARCHAR, sealers VARCHAR[], oldest_pass INTEGER, vouches BOOLEAN,
        problem VARCHAR
    ),
    iprev STRUCT(result VARCHAR, names VARCHAR[], unanswered VARCHAR[], problem VARCHAR),
    facts STRUCT(
        dkim VARCHAR, dkim_aligned VARCHAR, sender_id_aligned VARCHAR, pra VARCHAR, list_id VARCHAR[],
        list_verified VARCHAR, forwarded VARCHAR, spf_open VARCHAR, permitted_by VARCHAR[]
    ),
    verdict STRUCT(
        mode VARCHAR, action VARCHAR, stage VARCHAR, rule VARCHAR, reply VARCHAR,
        would STRUCT(action VARCHAR, rule VARCHAR, stage VARCHAR),
        marks VARCHAR[], exempted VARCHAR[],
        trial STRUCT(action VARCHAR, rule VARCHAR, stage VARCHAR)[],
        undecided STRUCT(rule VARCHAR, condition VARCHAR)[],
        refused STRUCT(action VARCHAR, rule VARCHAR, reply VARCHAR, refused_rcpt_to INTEGER[])[],
        partial STRUCT(
            outcomes STRUCT(action VARCHAR, rule VARCHAR, stage VARCHAR, rcpt_to INTEGER[])[], put_off BOOLEAN
        ),
        removed INTEGER
    ) NOT NULL,
    signed VARCHAR[] NOT NULL,
    unsigned VARCHAR,
    sealed STRUCT(domain VARCHAR, selector VARCHAR, instance INTEGER, cv VARCHAR),
    dns STRUCT(
        lookups INTEGER, cached INTEGER, starved INTEGER,
        answers STRUCT(
            name VARCHAR, type VARCHAR, outcome VARCHAR, ttl BIGINT, source VARCHAR, records VARCHAR[]
        )[]
    ) NOT NULL
);
