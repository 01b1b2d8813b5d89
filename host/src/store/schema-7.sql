-- Migration 7: keys that came or went lately lie in a small table before the large one. A few among many would each touch a
-- page of the large table; here they share pages, until they settle together with their neighbours.
ALTER TABLE account_key RENAME TO settled_key;

-- What it says of a fingerprint holds, whatever the large table says. `account` is NULL where the account is gone.
CREATE TABLE fresh_key(
  fingerprint BLOB PRIMARY KEY,
  account INTEGER,
  owners BLOB NOT NULL,
  entry BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The keys of all accounts.
CREATE VIEW account_key AS
  SELECT fingerprint, account, owners, entry FROM fresh_key WHERE account IS NOT NULL
  UNION ALL
  SELECT fingerprint, account, owners, entry FROM settled_key AS s
  WHERE NOT EXISTS(SELECT 1 FROM fresh_key AS f WHERE f.fingerprint = s.fingerprint);

-- How many keys were ever written to the small table: tells which settle next.
ALTER TABLE meta ADD COLUMN fresh_keys INTEGER NOT NULL DEFAULT 0;
