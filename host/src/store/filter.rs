//! Which accounts are meant: turned into SQL here alone, and walked through in reads of limited size.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use tributary_core::{Fingerprint, Owner, Provider, SourceId, mentions};

use super::accounts::{OwnerIds, provider_id};
use super::db::Db;
use super::error::StoreError;
use super::lookup::MOST_ROWS;

/// What accounts must be like; what is `None` leaves all in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose accounts they are.
    pub provider: Option<Provider>,
    /// A source that owns them.
    pub source_id: Option<SourceId>,
    /// Who owns them, beside `source_id`.
    pub owner: Option<OwnedBy>,
    /// Their status, exactly.
    pub status: Option<String>,
    /// Their type, exactly.
    pub kind: Option<String>,
    /// What their id begins with, or their masked token or a shown field contains; ASCII case makes no difference.
    pub q: Option<String>,
}

/// Who owns an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedBy {
    /// This owner, perhaps beside others.
    Owner(Owner),
    /// Nobody: it lost its last owner and stayed.
    Nobody,
}

/// Columns that a walk reads; the first four are those that the filter itself looks at.
#[derive(Clone, Copy)]
pub(super) enum Columns {
    /// Row, fingerprint, masked token and document.
    Few,
    /// The same, provider, earlier status and time of injection.
    Shown,
    /// The same and the secrets.
    All,
}

/// Places of the columns.
pub(super) const ROW: usize = 0;
pub(super) const FINGERPRINT: usize = 1;
pub(super) const MASKED: usize = 2;
pub(super) const SHOWN: usize = 3;
pub(super) const PROVIDER: usize = 4;
pub(super) const EARLIER_STATUS: usize = 5;
pub(super) const INJECTED_AT: usize = 6;
pub(super) const SECRET: usize = 7;

impl Columns {
    /// Their list in a SELECT from `account a`.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Columns::Few => "a.id, a.fingerprint, a.masked, a.shown",
            Columns::Shown => {
                "a.id, a.fingerprint, a.masked, a.shown, a.provider, a.earlier_status, a.injected_at"
            }
            Columns::All => {
                "a.id, a.fingerprint, a.masked, a.shown, a.provider, a.earlier_status, a.injected_at, a.secret"
            }
        }
    }
}

impl Filter {
    /// Goes on after row `after`, in the order of insertion, and gives `take` at most `most` accounts that are meant, with the
    /// numbers of their rows, as long as it says that it takes more. It looks at 1,000 rows at most. The row after which to
    /// go on; `None` at the end of the pool.
    pub(super) fn walk(
        &self,
        db: &Db,
        columns: Columns,
        after: i64,
        most: usize,
        mut take: impl FnMut(i64, &Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<Option<i64>, StoreError> {
        let most = most.min(MOST_ROWS.into());
        let Some(mut query) = self.query(db, after)? else {
            return Ok(None);
        };
        let bound = query.bound(db)?;
        let mut rows = db.prepare_cached(&query.select(columns))?;
        let mut rows = rows.query(params_from_iter(&query.values))?;
        let q = self.q.as_deref().map(str::to_ascii_lowercase);
        let (mut taken, mut last, mut more) = (0, after, most > 0);
        while more && let Some(row) = rows.next()? {
            if let Some(q) = &q
                && !is_mentioned(row, q)?
            {
                continue;
            }
            last = row.get(ROW)?;
            taken += 1;
            more = take(last, row)? && taken < most;
        }
        Ok(match more {
            true => bound,
            false => Some(last),
        })
    }

    /// What it means in the tables at this moment; `None` when it names an owner that never owned anything.
    fn query(&self, db: &Db, after: i64) -> Result<Option<Query>, StoreError> {
        let mut ids = OwnerIds::new(db);
        let mut query = Query::after(after);
        for owner in self.owners() {
            match ids.id_of_owner(&owner)? {
                Some(id) => query.owned_by(id),
                None => return Ok(None),
            }
        }
        if self.owner == Some(OwnedBy::Nobody) {
            query.only("(SELECT owners FROM account_key WHERE fingerprint = a.fingerprint) = x''");
        }
        if let Some(provider) = self.provider {
            query.only_where("a.provider", provider_id(provider).into());
        }
        if let Some(status) = &self.status {
            query.only_where("json_extract(a.shown, '$.status')", status.clone().into());
        }
        if let Some(kind) = &self.kind {
            query.only_where("json_extract(a.shown, '$.type')", kind.clone().into());
        }
        query.selective |= self.q.is_some();
        Ok(Some(query))
    }

    /// All of these own what is meant.
    pub(super) fn owners(&self) -> Vec<Owner> {
        let source = self.source_id.clone().map(Owner::Source);
        let owner = match &self.owner {
            Some(OwnedBy::Owner(owner)) => Some(owner.clone()),
            Some(OwnedBy::Nobody) | None => None,
        };
        let mut owners: Vec<Owner> = source.into_iter().chain(owner).collect();
        owners.dedup();
        owners
    }
}

/// Whether an account is mentioned by `q`, which is in lower case.
fn is_mentioned(row: &Row<'_>, q: &str) -> Result<bool, StoreError> {
    let text = |column| {
        row.get_ref(column)
            .map(|text| text.as_str().unwrap_or_default())
    };
    if mentions(text(SHOWN)?, q) || text(MASKED)?.to_ascii_lowercase().contains(q) {
        return Ok(true);
    }
    if !q.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(false);
    }
    let id = Fingerprint::from_bytes(row.get(FINGERPRINT)?);
    Ok(id.to_string().starts_with(q))
}

/// A walk as SQL: `?1` is the row after which it goes on, `?2` the last row it looks at, `?3` its first owner, if any.
struct Query {
    /// Whether it walks through the rows of its first owner, and not through the pool.
    owned: bool,
    conditions: String,
    values: Vec<Value>,
    /// Whether it passes over rows that it has to look at.
    selective: bool,
}

impl Query {
    fn after(after: i64) -> Query {
        Query {
            owned: false,
            conditions: String::new(),
            values: vec![after.into(), i64::MAX.into()],
            selective: false,
        }
    }

    fn owned_by(&mut self, owner: u32) {
        let place = self.bind(owner.into());
        if !std::mem::replace(&mut self.owned, true) {
            return;
        }
        self.only(&format!(
            "EXISTS(SELECT 1 FROM owned WHERE owner = ?{place} AND account = a.id)"
        ));
    }

    fn only_where(&mut self, column: &str, value: Value) {
        let place = self.bind(value);
        self.only(&format!("{column} = ?{place}"));
    }

    fn only(&mut self, condition: &str) {
        self.selective = true;
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
    }

    fn bind(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len()
    }

    /// Ends a selective walk at its 1,000th row; `None` when it has fewer to look at.
    fn bound(&mut self, db: &Db) -> Result<Option<i64>, StoreError> {
        if !self.selective {
            return Ok(None);
        }
        let (sql, known) = match self.owned {
            false => ("SELECT id FROM account WHERE id > ?1 ORDER BY id", 1),
            true => (
                "SELECT account FROM owned WHERE owner = ?3 AND account > ?1 ORDER BY account",
                3,
            ),
        };
        let sql = format!("{sql} LIMIT 1 OFFSET {}", MOST_ROWS - 1);
        let bound: Option<i64> = db
            .prepare_cached(&sql)?
            .query_row(params_from_iter(&self.values[..known]), |row| row.get(0))
            .optional()?;
        self.values[1] = bound.unwrap_or(i64::MAX).into();
        Ok(bound)
    }

    fn select(&self, columns: Columns) -> String {
        let (columns, conditions) = (columns.sql(), &self.conditions);
        match self.owned {
            false => format!(
                "SELECT {columns} FROM account a WHERE a.id > ?1 AND a.id <= ?2{conditions} ORDER BY a.id"
            ),
            // CROSS JOIN keeps the order of the tables: the owner's rows are walked through, each account is looked up.
            true => format!(
                "SELECT {columns} FROM owned o CROSS JOIN account a ON a.id = o.account \
                 WHERE o.owner = ?3 AND o.account > ?1 AND o.account <= ?2{conditions} ORDER BY o.account"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{database, only_searches, plan_of};

    #[test]
    fn a_walk_goes_along_the_rows_and_sorts_nothing() {
        let (_dir, db) = database();
        db.execute(
            "INSERT INTO owner(source_id, name) VALUES('s', ''), ('t', '')",
            [],
        )
        .unwrap();
        let source = |id| SourceId::new(id).unwrap();
        let of = |id| Some(OwnedBy::Owner(Owner::Source(source(id))));
        let (all, grok) = (Filter::default(), Some(Provider::Grok));
        let status = Some("x".to_owned());
        let owned = Filter {
            source_id: Some(source("s")),
            status,
            ..all.clone()
        };
        for (filter, first) in [
            (
                all.clone(),
                "SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            ),
            (
                Filter {
                    provider: grok,
                    ..all.clone()
                },
                "SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            ),
            (
                Filter {
                    owner: Some(OwnedBy::Nobody),
                    ..all
                },
                "SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            ),
            (
                owned.clone(),
                "SEARCH o USING PRIMARY KEY (owner=? AND account>? AND account<?)",
            ),
            (
                Filter {
                    owner: of("t"),
                    ..owned
                },
                "SEARCH o USING PRIMARY KEY (owner=? AND account>? AND account<?)",
            ),
        ] {
            let query = filter.query(&db, 0).unwrap().unwrap();
            let sql = query.select(Columns::All);
            let plan = plan_of(&db, &sql, params_from_iter(&query.values));
            assert_eq!(plan[0], first, "{plan:?}");
            assert!(only_searches(&plan), "{plan:?}");
        }
    }

    #[test]
    fn an_owner_that_never_was_owns_nothing() {
        let (_dir, db) = database();
        let filter = Filter {
            source_id: SourceId::new("nobody"),
            ..Filter::default()
        };
        assert!(filter.query(&db, 0).unwrap().is_none());
        let ended = filter.walk(&db, Columns::Few, 0, 1, |_, _| {
            unreachable!("there is none")
        });
        assert_eq!(ended, Ok(None));
    }
}
