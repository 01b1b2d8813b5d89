//! Whether a pool holds together: its file, who owns what, its numbers, and every secret in it.

use rusqlite::{Row, params};
use tributary_core::{Fingerprint, Salt};

use super::accounts::{Secrets, ids_in};
use super::audit::{self, Verdict};
use super::db::Db;
use super::error::StoreError;
use super::meta;
use super::vault::Identity;

/// Broken rows that a check names.
const NAMED: usize = 10;

/// What was looked at, and what of it is broken: sentences that name rows and repeat nothing of what they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// In a few words.
    pub name: &'static str,
    /// The first ten things; none when all is well.
    pub broken: Vec<String>,
}

impl Check {
    fn new(name: &'static str) -> Check {
        Check {
            name,
            broken: Vec::new(),
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.broken.len() < NAMED {
            self.broken.push(what());
        }
    }
}

/// Looks at everything, on one snapshot. It reads the whole pool and opens every secret. The error is of a file that
/// cannot be read at all.
pub fn verify(db: &Db) -> Result<Vec<Check>, StoreError> {
    db.on_one_snapshot(|db| {
        let integrity = integrity(db)?;
        // What SQLite cannot read is not looked at further.
        if !integrity.broken.is_empty() {
            return Ok(vec![integrity]);
        }
        let blobs = blobs(db)?;
        Ok(vec![
            integrity,
            references(db)?,
            owners(db)?,
            counts(db)?,
            blobs,
        ])
    })?
}

fn integrity(db: &Db) -> Result<Check, StoreError> {
    let mut check = Check::new("integrity of the file");
    let mut rows = db.prepare("PRAGMA integrity_check(10)")?;
    let mut rows = rows.query([])?;
    // A page that cannot be read ends the answer with an error.
    while let Some(row) = rows.next().unwrap_or_else(|error| {
        check.note(|| error.to_string());
        None
    }) {
        let said: String = row.get(0)?;
        if said != "ok" {
            check.note(|| said);
        }
    }
    Ok(check)
}

/// Each says which rows name others that are not there.
const REFERENCES: [(&str, &str); 6] = [
    (
        "account {} is not found by its token",
        "SELECT id FROM account a WHERE NOT EXISTS(SELECT 1 FROM account_key WHERE fingerprint = a.fingerprint AND account = a.id)",
    ),
    (
        "a token leads to account {}, which is not there",
        "SELECT account FROM account_key k WHERE NOT EXISTS(SELECT 1 FROM account WHERE id = k.account AND fingerprint = k.fingerprint)",
    ),
    (
        "account {} is owned and not there",
        "SELECT account FROM owned o WHERE NOT EXISTS(SELECT 1 FROM account WHERE id = o.account)",
    ),
    (
        "owner {} owns accounts and is not there",
        "SELECT DISTINCT owner FROM owned o WHERE owner <> 0 AND NOT EXISTS(SELECT 1 FROM owner WHERE id = o.owner)",
    ),
    (
        "job {} cannot be undone: its record is not whole",
        "SELECT number FROM job WHERE undo = 1 AND undo_last >= undo_first \
         AND (SELECT count(*) FROM undo WHERE id BETWEEN undo_first AND undo_last) <> undo_last - undo_first + 1",
    ),
    (
        "source {} has a policy and is not there",
        "SELECT source_id FROM policy p WHERE NOT EXISTS(SELECT 1 FROM source WHERE id = p.source_id)",
    ),
];

fn references(db: &Db) -> Result<Check, StoreError> {
    let mut check = Check::new("rows that name others");
    let mut declared = db.prepare("PRAGMA foreign_key_check")?;
    let mut rows = declared.query([])?;
    while let Some(row) = rows.next()? {
        let table: String = row.get(0)?;
        check.note(|| format!("a row of {table} names one that is not there"));
    }
    for (said, sql) in REFERENCES {
        let mut rows = db.prepare(&format!("{sql} LIMIT {NAMED}"))?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let name = told(row)?;
            check.note(|| said.replace("{}", &name));
        }
    }
    Ok(check)
}

/// A number or an id.
fn told(row: &Row<'_>) -> rusqlite::Result<String> {
    match row.get_ref(0)? {
        rusqlite::types::ValueRef::Integer(number) => Ok(number.to_string()),
        _ => row.get(0),
    }
}

/// Whether what an account says of its owners is what its owners say.
fn owners(db: &Db) -> Result<Check, StoreError> {
    let mut check = Check::new("owners of accounts");
    let mut keys = db.prepare("SELECT account, owners FROM account_key")?;
    let mut owned = db.prepare("SELECT 1 FROM owned WHERE owner = ?1 AND account = ?2")?;
    let mut rows = keys.query([])?;
    let mut named: i64 = 0;
    while let Some(row) = rows.next()? {
        let account: i64 = row.get(0)?;
        for owner in ids_in(row.get_ref(1)?.as_blob().unwrap_or_default()) {
            named += 1;
            if !owned.exists(params![owner, account])? {
                check
                    .note(|| format!("account {account} names owner {owner}, who does not own it"));
            }
        }
    }
    let all: i64 = db.query_row("SELECT count(*) FROM owned", [], |row| row.get(0))?;
    if named != all && check.broken.is_empty() {
        check.note(|| format!("{all} accounts are owned and {named} owners are named"));
    }
    Ok(check)
}

/// Each says which kept numbers are not those that are counted.
const COUNTS: [(&str, &str); 5] = [
    (
        "the number of all accounts",
        "SELECT 1 WHERE (SELECT accounts FROM pool) IS NOT (SELECT count(*) FROM account)",
    ),
    (
        "the highest row of an account",
        "SELECT 1 WHERE coalesce((SELECT last_account FROM pool), -1) < (SELECT coalesce(max(id), 0) FROM account)",
    ),
    (
        "the number of accounts by provider and status",
        "WITH counted AS (SELECT provider, coalesce(json_extract(shown, '$.status'), '') AS status, count(*) AS accounts \
         FROM account GROUP BY 1, 2), kept AS (SELECT provider, status, accounts FROM tally WHERE accounts <> 0) \
         SELECT 1 FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept UNION ALL SELECT * FROM kept EXCEPT SELECT * FROM counted)",
    ),
    (
        "the number of accounts of an owner",
        "WITH counted AS (SELECT owner, count(*) AS accounts FROM owned GROUP BY owner), \
         kept AS (SELECT owner, accounts FROM owner_tally WHERE accounts <> 0) \
         SELECT 1 FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept UNION ALL SELECT * FROM kept EXCEPT SELECT * FROM counted)",
    ),
    (
        "the place of a job",
        "WITH latest AS (SELECT name AS source_id, value FROM number WHERE kind = 'undo') \
         SELECT 1 FROM job LEFT JOIN latest USING(source_id) WHERE undo = 1 AND place NOT BETWEEN 1 AND coalesce(value, 0)",
    ),
];

fn counts(db: &Db) -> Result<Check, StoreError> {
    let mut check = Check::new("numbers that are kept");
    for (name, sql) in COUNTS {
        if db.prepare(sql)?.exists([])? {
            check.note(|| format!("{name} is not what is counted"));
        }
    }
    Ok(check)
}

/// Opens everything that is sealed, and compares tokens with what stands for them.
fn blobs(db: &Db) -> Result<Check, StoreError> {
    let mut check = Check::new("sealed secrets");
    let salt = match meta::salt(db) {
        Ok(salt) => Salt::new(*salt),
        Err(_) => {
            check.note(|| "the pool's salt does not open with the master key".to_owned());
            return Ok(check);
        }
    };
    for (table, sql) in [
        (
            "account",
            "SELECT id, fingerprint, secret, length(marks) / 16 FROM account",
        ),
        (
            "undo",
            "SELECT id, fingerprint, secret, length(marks) / 16 FROM undo WHERE side = 0",
        ),
    ] {
        let mut rows = db.prepare(sql)?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(why) = account_opens(db, row, &salt) {
                let id: i64 = row.get(0)?;
                check.note(|| format!("row {id} of {table}: {why}"));
            }
        }
    }
    if !matches!(audit::verify(db, None), Ok(Verdict::Whole(..))) {
        check.note(|| {
            "the audit is not as it was written: `tributary audit verify` says where".to_owned()
        });
    }
    let mut sources = db.prepare("SELECT id, secret FROM source")?;
    let mut rows = sources.query([])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let sealed = row.get_ref(1)?.as_blob().unwrap_or_default();
        if db.vault().open(Identity::Source(&id), sealed).is_err() {
            check.note(|| format!("source {id}: it does not open"));
        }
    }
    Ok(check)
}

fn account_opens(db: &Db, row: &Row<'_>, salt: &Salt) -> Result<(), &'static str> {
    const UNREADABLE: &str = "it cannot be read";
    let fingerprint = row.get(1).map(Fingerprint::from_bytes);
    let fingerprint = fingerprint.map_err(|_| UNREADABLE)?;
    let sealed = row.get_ref(2).map_err(|_| UNREADABLE)?.as_blob();
    let sealed = sealed.map_err(|_| UNREADABLE)?;
    let opened = db.vault().open(Identity::Account(&fingerprint), sealed);
    let opened = opened.map_err(|_| "it does not open")?;
    let mut secrets = Secrets::of(&opened);
    let token = secrets.next().ok_or("it holds no token")?;
    if salt.of_token(token) != fingerprint {
        return Err("its token is another one's");
    }
    let marks: u32 = row.get(3).map_err(|_| UNREADABLE)?;
    match u32::try_from(secrets.count()) == Ok(marks) {
        true => Ok(()),
        false => Err("it holds another number of secrets than places for them"),
    }
}
