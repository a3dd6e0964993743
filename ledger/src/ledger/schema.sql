-- The ledger of fenhe, version 1. Times are UTC, digests and hashes lower-case hexadecimal unless BLOB.
CREATE TABLE run (
  run           TEXT PRIMARY KEY,   -- name of one run of the program
  exchange      TEXT NOT NULL,      -- name of the exchange
  configuration TEXT NOT NULL,      -- file of the configuration, empty if there was none
  tool          TEXT NOT NULL,      -- program and version
  started       TEXT NOT NULL,
  ended         TEXT,               -- NULL: under way, or the program died
  status        TEXT                -- as in the receipt
) STRICT;

CREATE TABLE delivery (
  delivery    TEXT PRIMARY KEY,     -- same source content, flow and configuration: the same delivery
  pipeline    TEXT NOT NULL,        -- exchange/flow
  flow        TEXT NOT NULL,
  source      TEXT NOT NULL,
  fingerprint TEXT NOT NULL,        -- of the source's content, empty if it has none
  target      TEXT NOT NULL,
  mode        TEXT NOT NULL,        -- append, upsert, replace
  key         TEXT NOT NULL,        -- JSON list of field names
  columns     TEXT NOT NULL,        -- JSON list of {name, type}
  plan        TEXT NOT NULL,        -- digest of the configuration
  replay_of   TEXT,                 -- the delivery whose rejects these rows are
  run         TEXT NOT NULL,        -- the run that wrote last
  read        INTEGER NOT NULL DEFAULT 0,
  delivered   INTEGER NOT NULL DEFAULT 0,
  skipped     INTEGER NOT NULL DEFAULT 0,
  in_doubt    INTEGER NOT NULL DEFAULT 0,
  complete    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Written before a batch is committed at the target, settled afterwards.
CREATE TABLE batch (
  delivery TEXT NOT NULL,
  batch    INTEGER NOT NULL,        -- from 1
  run      TEXT NOT NULL,
  first    INTEGER NOT NULL,        -- number of the first record
  read     INTEGER NOT NULL,        -- records read
  skipped  INTEGER NOT NULL,
  rows     INTEGER NOT NULL,        -- rows given to the target and not refused by it
  digest   TEXT,                    -- sum of the row digests, NULL if none were taken
  at       TEXT NOT NULL,           -- position in the source after the batch
  state    TEXT NOT NULL CHECK (state IN ('planned', 'delivered', 'in_doubt')),
  PRIMARY KEY (delivery, batch)
) STRICT, WITHOUT ROWID;

-- Where each pipeline stands, for targets that cannot keep it themselves, and what was delivered.
CREATE TABLE position (
  pipeline   TEXT PRIMARY KEY,
  delivery   TEXT NOT NULL,
  batch      INTEGER NOT NULL,
  checkpoint TEXT NOT NULL          -- JSON
) STRICT;

-- Records that were read and not delivered, with the bytes to replay them from.
CREATE TABLE reject (
  id          INTEGER PRIMARY KEY,
  delivery    TEXT NOT NULL,
  batch       INTEGER NOT NULL,
  source      TEXT NOT NULL,
  dataset     TEXT NOT NULL,
  record      INTEGER NOT NULL,     -- number of the record in the source, from 1
  line        INTEGER,
  byte_offset INTEGER NOT NULL,
  byte_length INTEGER NOT NULL,     -- 0: the fault was found after decoding, and the place is not known
  code        TEXT NOT NULL,
  field       TEXT NOT NULL,
  expected    TEXT NOT NULL,
  found       TEXT NOT NULL,
  also        TEXT NOT NULL,        -- JSON list of further faults
  adapter     TEXT NOT NULL,
  raw_is      TEXT NOT NULL,        -- source: bytes of the source; row: a row of it as JSON; target: a row as the target was to get it
  raw         BLOB NOT NULL,
  raw_cut     INTEGER NOT NULL
) STRICT;
CREATE INDEX reject_of ON reject (delivery, record);

-- Rejected records that were sent again: by which delivery, and what became of them.
CREATE TABLE replay (
  delivery TEXT NOT NULL,
  record   INTEGER NOT NULL,
  by       TEXT NOT NULL,
  PRIMARY KEY (delivery, record, by)
) STRICT, WITHOUT ROWID;

-- Digests (16 bytes a row) and keys of the rows of a batch, for reconciliation.
CREATE TABLE row_index (
  delivery TEXT NOT NULL,
  batch    INTEGER NOT NULL,
  first    INTEGER NOT NULL,        -- record number of the first row
  records  BLOB,                    -- distance from first, four bytes a row; NULL: without a gap
  digests  BLOB NOT NULL,           -- empty: taken away on purpose
  keys     BLOB,                    -- each after its length in four bytes
  PRIMARY KEY (delivery, batch)
) STRICT;

-- The chain of receipts.
CREATE TABLE receipt (
  sequence  INTEGER PRIMARY KEY,
  run       TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  previous  TEXT NOT NULL,
  hash      TEXT NOT NULL UNIQUE,
  body      TEXT NOT NULL,          -- canonical JSON without the seal: what the hash is made of
  document  TEXT NOT NULL           -- canonical JSON with the seal: the file without its line feed
) STRICT;

-- Rejects that nobody has delivered since.
CREATE VIEW open_reject AS
SELECT d.flow, d.delivery, r.record, r.code, r.field, r.expected, r.found, r.source, r.line, r.raw_is,
       r.raw, r.id
FROM reject r JOIN delivery d ON d.delivery = r.delivery
WHERE d.replay_of IS NULL AND NOT EXISTS (
  SELECT 1 FROM replay p JOIN delivery b ON b.delivery = p.by
  WHERE p.delivery = r.delivery AND p.record = r.record AND b.complete = 1
    AND NOT EXISTS (SELECT 1 FROM reject again WHERE again.delivery = p.by AND again.record = p.record)
);

-- read = delivered + replayed + still rejected + skipped + in_doubt, a line a delivery.
CREATE VIEW books AS
SELECT d.flow, d.delivery, d.source, d.target, d.read, d.delivered,
       (SELECT count(*) FROM reject r WHERE r.delivery = d.delivery) AS rejected,
       (SELECT count(*) FROM reject r WHERE r.delivery = d.delivery)
         - (SELECT count(*) FROM open_reject o WHERE o.delivery = d.delivery) AS replayed,
       d.skipped, d.in_doubt, d.complete, d.run
FROM delivery d WHERE d.replay_of IS NULL;
