-- Migration 6: what administrators did, one row an act. `mac` is a keyed hash over the row and the `mac` of the row before,
-- so that no row can be altered, left out or put in without the key; it is empty in rows of commands beside the server, which
-- have no key, until the server chains them.
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  act TEXT NOT NULL,
  target TEXT NOT NULL,
  counts TEXT NOT NULL,
  mac BLOB NOT NULL
) STRICT;

-- Where the chain ends, its number of rows and its last hash, sealed with the master key: what is cut off shows, and no row
-- that was chained once can wait to be chained again.
ALTER TABLE meta ADD COLUMN audit_end BLOB NOT NULL DEFAULT x'';

-- The key of those hashes, 32 random bytes, sealed with the master key; the salt tells its hash.
ALTER TABLE meta ADD COLUMN audit_key BLOB NOT NULL DEFAULT x'';
