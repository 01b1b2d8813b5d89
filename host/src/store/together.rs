//! What works that run together in one transaction leave to its end, since each of them would write it again: where the
//! audit's chain ends, the pool in numbers, and the places of jobs.

use std::collections::BTreeMap;

use super::accounts::Tally;
use super::audit::Chain;
use super::db::Db;
use super::error::StoreError;
use super::jobs::places;
use super::meta::{self, Meta};

/// What is left to the end so far. Whoever reads one of these in between asks here first.
#[derive(Default)]
pub(super) struct Together {
    /// The chain, once a row was added to it.
    pub(super) chain: Option<Chain>,
    /// The pool as it is by now, once somebody has asked.
    pub(super) pool: Option<Meta>,
    /// How the numbers of accounts change.
    pub(super) tally: Tally,
    /// The latest place among the jobs of a source that can be undone.
    pub(super) places: BTreeMap<String, i64>,
}

impl Together {
    /// Writes all of it.
    pub(super) fn write(mut self, db: &Db) -> Result<(), StoreError> {
        if let Some(chain) = &self.chain {
            chain.seal(db)?;
        }
        if let Some(pool) = &self.pool {
            meta::write(db, pool)?;
        }
        for (source, place) in &self.places {
            places::write(db, source, *place)?;
        }
        self.tally.write(db)
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::Accounts;
    use super::super::audit::{self, Act, Verdict};
    use super::super::guard;
    use super::super::tests::database;
    use super::*;
    use crate::job::Asker;
    use tributary_core::Provider;

    const OWNER: u32 = 7;

    /// What an import writes of an account with this number.
    fn import(db: &Db, number: i64) -> Result<(), StoreError> {
        assert_eq!(meta::read(db)?.last_account, number - 1);
        assert_eq!(Accounts::new(db).count()? == 0, number == 1);
        let mut tally = Tally::default();
        tally.count(Provider::Gpt, "\"new\"", 1);
        tally.count_owned(OWNER, 1);
        tally.write(db)?;
        let before = meta::read(db)?;
        let pool = Meta {
            last_account: number,
            accounts: before.accounts + tally.accounts,
            fresh_keys: before.fresh_keys + 1,
            ..before
        };
        meta::advance(db, pool)?;
        audit::append(db, &Act::new(Asker::default(), "inject", "job"))?;
        assert_eq!(meta::read(db)?.last_account, number);
        Ok(())
    }

    /// The numbers and the rows of the audit, which must be whole.
    fn written(db: &Db) -> [i64; 7] {
        let Verdict::Whole(head, 0) = audit::verify(db, None).unwrap() else {
            panic!("the chain is broken");
        };
        let pool = meta::read(db).unwrap();
        let number = |sql| db.query_row(sql, [], |row| row.get(0)).unwrap();
        [
            head.rows,
            pool.revision,
            pool.last_account,
            pool.accounts,
            pool.fresh_keys,
            number("SELECT sum(accounts) FROM tally"),
            number("SELECT sum(accounts) FROM owner_tally"),
        ]
    }

    #[test]
    fn what_each_work_would_write_again_is_written_once_with_the_same_outcome() {
        let (_one, alone) = database();
        let (_other, together) = database();
        let before = [&alone, &together].map(|db| db.total_changes());
        alone
            .at_once(|db| (1..=9).try_for_each(|number| import(db, number)))
            .unwrap();
        let all = |db: &Db| {
            let works = || (1..=9).try_for_each(|number| import(db, number));
            let kept = db.together(|| works().map(|()| true).map_err(|e| e.to_string()));
            assert_eq!(kept, Ok(true));
            Ok(())
        };
        together.at_once(all).unwrap();
        assert_eq!(written(&alone), [9; 7]);
        assert_eq!(written(&together), [9; 7]);
        let [alone, together] = [
            alone.total_changes() - before[0],
            together.total_changes() - before[1],
        ];
        // A row of the audit each, and the end of the chain, the pool and two numbers.
        assert_eq!((alone, together), (9 * 5, 9 + 4));
    }

    #[test]
    fn what_is_taken_back_leaves_nothing_to_those_who_come_after() {
        let (_dir, db) = database();
        for outcome in [Ok(false), Err("stopped".to_owned())] {
            db.execute_batch("BEGIN").unwrap();
            let works = || {
                import(&db, 1).unwrap();
                outcome.clone()
            };
            assert_eq!(db.together(works), outcome);
            db.execute_batch("ROLLBACK").unwrap();
        }
        db.at_once(|db| import(db, 1)).unwrap();
        assert_eq!(written(&db), [1; 7]);
    }

    #[test]
    fn the_guard_counts_what_is_left_to_the_end() {
        let (_dir, db) = database();
        db.at_once(|db| import(db, 1)).unwrap();
        let works = || {
            import(&db, 2).unwrap();
            assert_eq!(guard::owned_now(&db, OWNER), Ok(2));
            Ok(true)
        };
        db.execute_batch("BEGIN").unwrap();
        assert_eq!(db.together(works), Ok(true));
        db.execute_batch("COMMIT").unwrap();
        assert_eq!(written(&db), [2; 7]);
    }
}
