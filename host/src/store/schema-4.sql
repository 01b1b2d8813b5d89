-- Migration 4: secrets are sealed, with the row's identity, by a key that is not in here. A pool of an earlier version is
-- sealed at the next start, which sets `sealed`.
CREATE TABLE meta_4(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  salt BLOB NOT NULL,
  revision INTEGER NOT NULL,
  last_account INTEGER NOT NULL,
  accounts INTEGER NOT NULL,
  sealed INTEGER NOT NULL
) STRICT;
INSERT INTO meta_4 SELECT id, salt, revision, last_account, accounts, 0 FROM meta;
DROP TABLE meta;
ALTER TABLE meta_4 RENAME TO meta;

-- Address and tokens of a source, each after its length in 4 bytes, sealed as one.
ALTER TABLE source ADD COLUMN secret BLOB NOT NULL DEFAULT x'';
