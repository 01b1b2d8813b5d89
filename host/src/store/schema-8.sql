-- Migration 8: an import writes fewer pages. What it changes of the pool as a whole lies in one small tree.
--
-- `pool`: one row with what stood in `meta` and changes; its value is the number of all accounts. `audit_end` is sealed, and
-- empty before the audit begins. `status`: accounts of a provider (`of`) and a status (`name`). `owner`: accounts of an owner
-- (`of`; 0 is Local). `undo`: see below.
CREATE TABLE number(
  kind TEXT NOT NULL,
  of INTEGER NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  revision INTEGER,
  last_account INTEGER,
  fresh_keys INTEGER,
  audit_end BLOB,
  PRIMARY KEY(kind, of, name),
  CHECK(kind <> 'pool' OR (revision IS NOT NULL AND last_account IS NOT NULL AND fresh_keys IS NOT NULL AND audit_end IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO number SELECT 'pool', 0, '', accounts, revision, last_account, fresh_keys, audit_end FROM meta;
INSERT INTO number(kind, of, name, value)
  SELECT 'status', provider, status, accounts FROM tally UNION ALL SELECT 'owner', owner, '', accounts FROM owner_tally;

CREATE TABLE meta_8(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  salt BLOB NOT NULL,
  sealed INTEGER NOT NULL,
  audit_key BLOB NOT NULL
) STRICT;
INSERT INTO meta_8 SELECT id, salt, sealed, audit_key FROM meta;
DROP TABLE meta;
ALTER TABLE meta_8 RENAME TO meta;
DROP TABLE tally;
DROP TABLE owner_tally;

-- The same as those who only read know it.
CREATE VIEW pool AS
  SELECT value AS accounts, revision, last_account, fresh_keys, audit_end FROM number WHERE kind = 'pool' AND of = 0 AND name = '';
CREATE VIEW tally AS SELECT of AS provider, name AS status, value AS accounts FROM number WHERE kind = 'status';
CREATE VIEW owner_tally AS SELECT of AS owner, value AS accounts FROM number WHERE kind = 'owner';

-- An id of a job ends with its row, 16 hex digits, and the column has what it begins with, 16 more. Only those of earlier
-- versions, which are whole, need an index.
DROP INDEX job_id;
CREATE INDEX job_id ON job(id) WHERE length(id) = 32;

-- The place of a job among those of its source that could ever be undone, in the order in which they were applied, from 1; 0
-- where it could not. `undo`: the latest one of a source (`name`).
ALTER TABLE job ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
UPDATE job SET place = counted.place
  FROM (SELECT number, row_number() OVER (PARTITION BY source_id ORDER BY number) AS place FROM job WHERE undo = 1) AS counted
  WHERE counted.number = job.number;
INSERT INTO number(kind, of, name, value) SELECT 'undo', 0, source_id, max(place) FROM job WHERE undo = 1 GROUP BY source_id;
DROP INDEX job_undo;
