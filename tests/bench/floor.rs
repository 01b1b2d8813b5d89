//! Floors of the store: one thread that does the least for the same tables, with SQLite as the server sets it up.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};
use tributary_core::Fingerprint;
use tributary_host::store::vault::{Identity, MasterKey, Vault};
use zeroize::Zeroizing;

use crate::harness::{Home, Server};
use crate::plan::{Read, fingerprint};
use crate::report::timed;

/// A database as the server makes it, without rows and without a server.
pub(crate) fn empty_pool() -> Home {
    Server::start().stop()
}

/// Opens it for writing as the server does.
pub(crate) fn open(home: &Home) -> Connection {
    let db = home.database();
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;",
    )
    .expect("settings");
    db
}

/// A vault with a key of its own.
pub(crate) fn vault() -> Vault {
    Vault::new(&[MasterKey::new(Zeroizing::new([7; 32]))])
}

/// Reads the payload, and inserts every account into the server's tables, sealed, in one synced transaction.
pub(crate) fn insert_all(db: &Connection, payload: &Path, vault: &Vault) -> Duration {
    timed(|| {
        let text = std::fs::read_to_string(payload).expect("a file");
        let read: Read<'_> = serde_json::from_str(&text).expect("JSON");
        db.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        {
            let mut account = db
                .prepare(
                    "INSERT INTO account(id, fingerprint, provider, masked, shown, marks, earlier_status, secret, added_at, \
                     injected_at) VALUES(?1, ?2, 0, ?3, ?4, ?5, NULL, ?6, 0, 0)",
                )
                .expect("a statement");
            let mut key = db
                .prepare("INSERT INTO settled_key(fingerprint, account, owners) VALUES(?1, ?2, x'01000000')")
                .expect("a statement");
            let mut owned = db
                .prepare("INSERT INTO owned(owner, account) VALUES(1, ?1)")
                .expect("a statement");
            for (id, one) in (1_i64..).zip(&read.accounts) {
                let print = fingerprint(one.access_token);
                let shown = format!(
                    r#"{{"type":"{}","email":"{}","refresh_token":"…","quota":{},"status":"{}","limits_progress":{},"metadata":{},"user_agent":"{}"}}"#,
                    one.kind,
                    one.email,
                    one.quota,
                    one.status,
                    one.limits_progress,
                    one.metadata,
                    one.user_agent
                );
                let mut secret = Vec::with_capacity(256);
                for part in [one.access_token, one.refresh_token] {
                    let length = u32::try_from(part.len()).expect("a token");
                    secret.extend_from_slice(&length.to_le_bytes());
                    secret.extend_from_slice(part.as_bytes());
                }
                let whose = Fingerprint::from_bytes(print);
                let sealed = vault
                    .seal(Identity::Account(&whose), &secret)
                    .expect("sealed");
                let masked = format!("{}…", &one.access_token[..4]);
                let marks = fingerprint(one.refresh_token);
                account
                    .execute(params![id, print, masked, shown, marks, sealed])
                    .expect("a row");
                key.execute(params![print, id]).expect("a row");
                owned.execute([id]).expect("a row");
            }
        }
        db.execute_batch("COMMIT").expect("a disk");
    })
}

/// Reads the payload and looks every token up.
pub(crate) fn look_all_up(db: &Connection, payload: &Path) -> Duration {
    timed(|| {
        let text = std::fs::read_to_string(payload).expect("a file");
        let read: Read<'_> = serde_json::from_str(&text).expect("JSON");
        let mut find = db
            .prepare("SELECT account, owners FROM settled_key WHERE fingerprint = ?1")
            .expect("a statement");
        for one in &read.accounts {
            let found = find.query_row([fingerprint(one.access_token)], |row| row.get::<_, i64>(0));
            found.expect("it is there");
        }
    })
}
