-- Migration 1: everything a pool keeps. Times are seconds since the epoch, UTC.

-- One row. `salt` keys the fingerprints, `revision` counts the imports that changed the pool, `last_account` is the
-- highest account id ever given: the importing transaction hands ids out from it, because without it the id of a
-- removed last row would be given again, and AUTOINCREMENT would rewrite its own table with every inserted row.
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  salt BLOB NOT NULL CHECK(length(salt) = 32),
  revision INTEGER NOT NULL,
  last_account INTEGER NOT NULL
) STRICT;

-- The addresses that are synced, in order of creation. `provider` is '', 'gpt' or 'grok'; an empty header or token is none.
CREATE TABLE source(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  url TEXT NOT NULL,
  method TEXT NOT NULL,
  auth_header TEXT NOT NULL,
  auth_token TEXT NOT NULL,
  bearer_token TEXT NOT NULL,
  provider TEXT NOT NULL,
  strategy TEXT NOT NULL,
  interval_seconds INTEGER,
  revision INTEGER NOT NULL,
  last_sync_at INTEGER
) STRICT;

-- One row per import, kept. Ids are random, so that an index on them would touch a page of its own per import:
-- a running job is found through job_running, a source's latest sync through job_sync; injects are only appended.
CREATE TABLE job(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  source_id TEXT NOT NULL,
  source_name TEXT NOT NULL,
  strategy TEXT NOT NULL,
  total INTEGER NOT NULL,
  added INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  removed INTEGER NOT NULL
) STRICT;
CREATE INDEX job_sync ON job(source_id) WHERE kind = 'sync';
CREATE INDEX job_running ON job(id) WHERE status = 'running';

-- Keys to the API. `hash` is BLAKE3 of the key; the key itself is stored nowhere.
CREATE TABLE api_key(
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Importers by a small integer. Id 0 is never a row: it stands for Local.
CREATE TABLE owner(
  id INTEGER PRIMARY KEY,
  source_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL DEFAULT ''
) STRICT;

-- The pool, appended to by rowid. `shown` is the public JSON with "…" where a secret stands, `marks` the 16-byte keyed
-- fingerprints of those secrets in order, `secret` the token and every secret value, each after its length in 4 bytes: nothing else
-- holds a secret. `injected_at` is when an import last changed the account or its owners.
CREATE TABLE account(
  id INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  provider INTEGER NOT NULL,
  masked TEXT NOT NULL,
  shown TEXT NOT NULL,
  marks BLOB NOT NULL,
  earlier_status TEXT,
  secret BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  injected_at INTEGER NOT NULL
) STRICT;

-- The narrow look-up of an account by its token's fingerprint, and who owns it: owner ids of 4 bytes, little endian,
-- Local's 0 first, then the sources with the latest importer last.
CREATE TABLE account_key(
  fingerprint BLOB PRIMARY KEY,
  account INTEGER NOT NULL,
  owners BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which accounts an importer (0 is Local) owns.
CREATE TABLE owned(
  owner INTEGER NOT NULL,
  account INTEGER NOT NULL,
  PRIMARY KEY(owner, account)
) STRICT, WITHOUT ROWID;
