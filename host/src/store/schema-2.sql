-- Migration 2: what lists and metrics tell without counting; which owners were sources; when a key was last used.

-- How many accounts the pool has.
ALTER TABLE meta ADD COLUMN accounts INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET accounts = (SELECT count(*) FROM account);

-- The same by provider and status, and by owner (0 is Local). Tables of their own, because a transaction that writes a
-- page twice makes SQLite sum up again what it has written in between: these are written once, at its end.
CREATE TABLE tally(
  provider INTEGER NOT NULL,
  status TEXT NOT NULL,
  accounts INTEGER NOT NULL,
  PRIMARY KEY(provider, status)
) STRICT, WITHOUT ROWID;
INSERT INTO tally SELECT provider, json_extract(shown, '$.status'), count(*) FROM account GROUP BY 1, 2;

CREATE TABLE owner_tally(
  owner INTEGER PRIMARY KEY,
  accounts INTEGER NOT NULL
) STRICT;
INSERT INTO owner_tally SELECT owner, count(*) FROM owned GROUP BY owner;

-- 1 once the source with this id is deleted: what else owns accounts without being a source is the label of an inject.
ALTER TABLE owner ADD COLUMN source_deleted INTEGER NOT NULL DEFAULT 0;
UPDATE owner SET source_deleted = 1 WHERE source_id NOT IN (SELECT id FROM source)
  AND source_id IN (SELECT source_id FROM job WHERE kind = 'sync');

-- The day of a key's last use, like 2026-05-23; empty before the first.
ALTER TABLE api_key ADD COLUMN last_used_on TEXT NOT NULL DEFAULT '';
