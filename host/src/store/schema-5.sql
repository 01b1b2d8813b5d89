-- Migration 5: the entry that an account is as it came in: a keyed fingerprint of its text, empty once anything else has
-- changed the account. Who sends the same again changes nothing, and neither the entry nor the account need be read.
ALTER TABLE account_key ADD COLUMN entry BLOB NOT NULL DEFAULT x'';
