-- Migration 3: the history of jobs, what it takes to undo them, and what each source may do to the pool.

-- Who: `admin`, `key:` and a name, or `schedule`; empty for jobs of earlier versions.
ALTER TABLE job ADD COLUMN actor TEXT NOT NULL DEFAULT '';
-- Of the payload, after decoding.
ALTER TABLE job ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
-- One word for why it failed, and JSON with what else is told: durations, skips by reason, what the guard said.
ALTER TABLE job ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN findings TEXT NOT NULL DEFAULT '{}';
-- Where it can be undone (1): the rows of accounts that it added, first to last, and its rows of `undo`. 2 once that
-- record is being dropped. 0: it changed nothing, or nothing is kept of it.
ALTER TABLE job ADD COLUMN undo INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN added_first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN added_last INTEGER NOT NULL DEFAULT -1;
ALTER TABLE job ADD COLUMN undo_first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN undo_last INTEGER NOT NULL DEFAULT -1;
-- Ids of jobs: the one that this job undid, and the one that undid it; empty when none.
ALTER TABLE job ADD COLUMN undoes TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN undone_by TEXT NOT NULL DEFAULT '';
-- Ids of new jobs ascend, so that this index grows at its end.
CREATE INDEX job_id ON job(id);
CREATE INDEX job_undo ON job(source_id) WHERE undo = 1;
CREATE INDEX job_undo_dropped ON job(undo) WHERE undo = 2;

-- Accounts as jobs found them (side 0) and left them (side 1), appended to by rowid: the account's row, its owners as
-- ids, and on side 0 its `secret` blob. Accounts that an import added have no row here: those of its job suffice.
CREATE TABLE undo(
  id INTEGER PRIMARY KEY,
  side INTEGER NOT NULL,
  account INTEGER NOT NULL,
  fingerprint BLOB NOT NULL,
  owners BLOB NOT NULL,
  provider INTEGER NOT NULL,
  masked TEXT NOT NULL,
  shown TEXT NOT NULL,
  marks BLOB NOT NULL,
  earlier_status TEXT,
  secret BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  injected_at INTEGER NOT NULL
) STRICT;

-- What a source may do to the pool, where that is not the ordinary: what becomes of accounts without an owner, and the
-- guard's numbers (NULL: those of the server).
CREATE TABLE policy(
  source_id TEXT PRIMARY KEY,
  removal TEXT NOT NULL,
  guard_percent INTEGER,
  guard_floor INTEGER
) STRICT, WITHOUT ROWID;

-- Where a source stands in the schedule: what its last body was called by its server, and how the last attempts went.
-- An edit forgets it.
CREATE TABLE standing(
  source_id TEXT PRIMARY KEY,
  etag TEXT NOT NULL DEFAULT '',
  last_modified TEXT NOT NULL DEFAULT '',
  attempted_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  transient INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER
) STRICT, WITHOUT ROWID;

-- How many accounts an importer owned until a moment at which it lost some, for the guard; a day is kept.
CREATE TABLE owned_until(
  owner INTEGER NOT NULL,
  at INTEGER NOT NULL,
  accounts INTEGER NOT NULL,
  PRIMARY KEY(owner, at)
) STRICT, WITHOUT ROWID;
