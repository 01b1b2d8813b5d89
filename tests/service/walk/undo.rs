//! A walk in which jobs are taken back, undos among them, and the way back from it to the empty pool.

use super::*;
use crate::service::harness::JOBS;

/// All jobs can be undone.
const OPTIONS: &[&str] = &["--undo-keep", "1000"];

/// The pool by token: which account it is (one that goes and comes anew is another), and its line of the export.
type Pool = BTreeMap<String, (u64, Value)>;

/// A job that changed the pool.
struct Job {
    id: String,
    is_undo: bool,
    before: Pool,
    after: Pool,
    /// The export of before.
    text: String,
}

/// A walk with what it did.
struct Undoing {
    walk: Walk,
    jobs: Vec<Job>,
    now: Pool,
    /// Accounts so far.
    count: u64,
}

#[test]
fn a_walk_with_undos_takes_no_account_that_somebody_owns_and_leads_back_to_the_empty_pool() {
    for seed in 0..2 {
        let mut undoing = Undoing {
            walk: Walk::start("walk-undo", seed, OPTIONS),
            jobs: Vec::new(),
            now: Pool::new(),
            count: 0,
        };
        for step in 0..60 {
            let said = undoing.step();
            let said = format!("seed {seed}, step {step}: {said}");
            undoing.walk.check(&said);
        }
        let undos = undoing.jobs.iter().filter(|job| job.is_undo).count();
        assert!(undos > 5 && undoing.jobs.len() > 30, "it does something");
        undoing.go_back();
    }
}

impl Undoing {
    fn step(&mut self) -> String {
        let text = self.walk.server.export();
        let (said, undone) = match self.walk.dice.below(3) {
            0 if !self.jobs.is_empty() => self.take_back(),
            _ => (self.change(), None),
        };
        let before = std::mem::take(&mut self.now);
        let back = undone.map(|at| &self.jobs[at].before);
        self.now = pool(&self.walk.server, &before, back, &mut self.count);
        if self.now != before {
            self.jobs.push(Job {
                id: self.walk.server.last_job(),
                is_undo: undone.is_some(),
                after: self.now.clone(),
                before,
                text,
            });
        }
        said
    }

    /// A change that no undo is.
    fn change(&mut self) -> String {
        let walk = &mut self.walk;
        match walk.dice.below(13) {
            0..=3 => walk.import(false),
            4..=6 => walk.import(true),
            7 => walk.add(),
            8 | 9 => walk.edit(),
            10 => walk.remove(),
            11 => walk.release(),
            _ => walk.restart(),
        }
    }

    /// Undoes one of the latest jobs; which one, where it could be undone.
    fn take_back(&mut self) -> (String, Option<usize>) {
        let latest = self.jobs.len().min(12);
        let at = self.jobs.len() - 1 - self.walk.dice.below(latest);
        let job = &self.jobs[at];
        let path = format!("{JOBS}/{}/undo", job.id);
        let server = &self.walk.server;
        if server.job(&job.id)["undone_by"] != json!(null) {
            assert_eq!(server.post(&path, "").status, 409);
            return (format!("undo {} again", job.id), None);
        }
        let plan = server.post(&format!("{path}?plan=true"), "").json();
        let answer = server.post(&path, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let undo = answer.json()["job"].clone();
        for count in ["added", "updated", "released", "removed"] {
            assert_eq!(plan["plan"]["counts"][count], undo[count], "{count}");
        }
        let wanted = undone(job, &self.now);
        // Whatever comes back is an account of before.
        let is = pool(server, &self.now, Some(&job.before), &mut 0);
        assert_eq!(
            is.keys().collect::<Vec<_>>(),
            wanted.keys().collect::<Vec<_>>()
        );
        for (token, (_, line)) in &is {
            assert_eq!(compared(line), compared(&wanted[token]), "{token}: {undo}");
        }
        self.check_leavers(job, &is);
        self.remember(&is);
        (format!("undo {undo}"), Some(at))
    }

    /// Who leaves the pool has no owner but those that the job gave it.
    fn check_leavers(&self, job: &Job, is: &Pool) {
        for (token, (_, line)) in self
            .now
            .iter()
            .filter(|(token, _)| !is.contains_key(*token))
        {
            let was = |pool: &Pool| {
                pool.get(token)
                    .map(|(_, line)| owners(line))
                    .unwrap_or_default()
            };
            let given: BTreeSet<_> = was(&job.after)
                .difference(&was(&job.before))
                .cloned()
                .collect();
            assert!(
                owners(line).is_subset(&given),
                "{token} had an owner: {line}"
            );
        }
    }

    /// From now on the model has what an undo made.
    fn remember(&mut self, pool: &Pool) {
        let model = &mut self.walk.model;
        let mut order: Vec<_> = pool
            .iter()
            .map(|(token, (number, _))| (*number, token.clone()))
            .collect();
        order.sort_unstable();
        model.order = order.into_iter().map(|(_, token)| token).collect();
        let text = |line: &Value, name: &str| line[name].as_str().expect("text").to_owned();
        let known = |line: &Value| model::Known {
            owners: owners(line),
            provider: text(line, "provider"),
            status: text(line, "status"),
            quota: line["quota"].as_u64().expect("a number"),
        };
        model.accounts = pool
            .iter()
            .map(|(token, (_, line))| (token.clone(), known(line)))
            .collect();
    }

    /// Undoes one job after the other, the newest first.
    fn go_back(&self) {
        let server = &self.walk.server;
        for job in self.jobs.iter().rev() {
            let answer = server.post(&format!("{JOBS}/{}/undo", job.id), "");
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(server.export(), job.text, "{answer:?}");
        }
        assert_eq!(server.export(), "");
        assert_eq!(
            server.get(&format!("{ACCOUNTS}?limit=1")).json()["total"],
            json!(0)
        );
    }
}

/// The pool as it is told now. Accounts that were not in `before` are new, or come back as they are in `back`.
fn pool(server: &Server, before: &Pool, back: Option<&Pool>, count: &mut u64) -> Pool {
    let mut pool = Pool::new();
    for line in server.export().lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let token = line["access_token"].as_str().expect("a token").to_owned();
        let known = before.get(&token).or_else(|| back?.get(&token));
        let number = known.map(|(number, _)| *number).unwrap_or_else(|| {
            *count += 1;
            *count
        });
        pool.insert(token, (number, line));
    }
    pool
}

fn owners(line: &Value) -> BTreeSet<String> {
    let sources = line["owners"]["sources"].as_array().expect("a list").iter();
    let sources = sources.map(|id| format!("source:{}", id.as_str().expect("an id")));
    let local = line["owners"]["local"].as_bool().expect("a flag");
    sources.chain(local.then(|| "local".to_owned())).collect()
}

/// A line without what follows from the order of owners and from the time.
fn compared(line: &Value) -> Value {
    let mut line = line.clone();
    line["owners"] = json!(owners(&line));
    let fields = line.as_object_mut().expect("an object");
    fields.retain(|name, _| name != "owner_names" && !name.starts_with("remote_"));
    line
}

/// What the pool should be with a job undone: told once more, as simply as can be.
fn undone(job: &Job, now: &Pool) -> BTreeMap<String, Value> {
    let mut pool: BTreeMap<_, _> = now
        .iter()
        .map(|(token, (_, line))| (token.clone(), line.clone()))
        .collect();
    for token in job.before.keys().chain(job.after.keys()) {
        match (job.before.get(token), job.after.get(token), now.get(token)) {
            (before, after, _) if before == after => {}
            (Some((_, before)), None, None) => drop(pool.insert(token.clone(), before.clone())),
            (None, Some((number, _)), Some((is, _))) if number != is && !job.is_undo => {}
            (None, Some((_, after)), Some((_, now))) => {
                match owners(now)
                    .difference(&owners(after))
                    .cloned()
                    .collect::<BTreeSet<_>>()
                {
                    none if none.is_empty() => drop(pool.remove(token)),
                    others => drop(pool.insert(token.clone(), owned(now, &others))),
                }
            }
            (Some((_, before)), Some((_, after)), Some((_, now))) => {
                drop(pool.insert(token.clone(), returned(before, after, now)));
            }
            _ => {}
        }
    }
    pool
}

fn returned(before: &Value, after: &Value, now: &Value) -> Value {
    let [was, left, is] = [before, after, now].map(owners);
    let stay = is
        .iter()
        .filter(|owner| was.contains(*owner) || !left.contains(*owner));
    let back = was.iter().filter(|owner| !left.contains(*owner));
    let both: BTreeSet<_> = stay.chain(back).cloned().collect();
    let mut line = owned(now, if both.is_empty() { &is } else { &both });
    for name in ["provider", "status", "quota"] {
        if before[name] != after[name] && now[name] == after[name] {
            line[name] = before[name].clone();
        }
    }
    line
}

fn owned(line: &Value, owners: &BTreeSet<String>) -> Value {
    let mut line = line.clone();
    let sources: Vec<_> = owners.iter().filter_map(|owner| id_of(owner)).collect();
    line["owners"] = json!({"local": owners.contains("local"), "sources": sources});
    line
}
