//! A walk of random operations by several owners: after every step list, total, owners, export, metrics and the
//! numbers that are kept agree with each other, and with a model of who owns what.

mod model;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::exposition::Scrape;
use super::harness::{ACCOUNTS, EXPORT, INJECT, SOURCES, Server};
use crate::seeded::Dice;
use model::{Entry, Model};

/// Tokens that operations meet at.
const TOKENS: usize = 14;
const STATUSES: [&str; 3] = ["正常", "限流", "异常"];
const LABELS: [&str; 4] = ["local", "source:a", "source:b", "source:local"];

/// A server, what it should hold, and what happens next.
struct Walk {
    server: Server,
    model: Model,
    dice: Dice,
    /// Owners that were sources once.
    gone: Vec<String>,
    /// The ids of all tokens.
    ids: BTreeMap<String, String>,
    /// Those of the server.
    options: &'static [&'static str],
}

#[test]
fn a_walk_of_operations_keeps_all_that_tells_of_the_pool_in_agreement() {
    for seed in 0..3 {
        let mut walk = Walk::start("walk", seed, &[]);
        for step in 0..90 {
            let said = walk.step();
            walk.check(&format!("seed {seed}, step {step}: {said}"));
        }
    }
}

fn token(number: usize) -> String {
    format!("example-token-{number:02}")
}

/// The id of a source among owners; `None` for Local.
fn id_of(owner: &str) -> Option<&str> {
    owner.strip_prefix("source:")
}

impl Walk {
    /// Before the first step.
    fn start(name: &str, seed: u64, options: &'static [&'static str]) -> Walk {
        let server = Server::start_with(options);
        let ids = (0..TOKENS)
            .map(token)
            .map(|token| (token.clone(), server.id_of(&token)));
        Walk {
            ids: ids.collect(),
            server,
            model: Model::default(),
            dice: Dice::new(name, seed),
            gone: Vec::new(),
            options,
        }
    }

    /// One operation, whose answer is as the model has it; says which.
    fn step(&mut self) -> String {
        match self.dice.below(22) {
            0..=5 => self.import(false),
            6..=8 => self.import(true),
            9 | 10 => self.add(),
            11 | 12 => self.edit(),
            13 | 14 => self.remove(),
            15 | 16 => self.release(),
            17 | 18 => self.create_source(),
            19 | 20 => self.delete_source(),
            _ => self.restart(),
        }
    }

    fn import(&mut self, replaces: bool) -> String {
        let mut owner = self.owner();
        if replaces && owner == "local" {
            owner = "source:a".to_owned();
        }
        let entries = self.entries();
        let strategy = if replaces { "replace" } else { "merge" };
        let body = json!({"strategy": strategy, "source_id": id_of(&owner), "accounts": payload(&entries)}).to_string();
        let answer = self.server.post(INJECT, &body).json();
        let (added, removed) = self.model.import(&owner, &entries, replaces);
        assert_eq!(
            (&answer["added"], &answer["removed"]),
            (&json!(added), &json!(removed)),
            "{body}"
        );
        format!("{owner} {body}")
    }

    fn add(&mut self) -> String {
        let entries = self.entries();
        let body = json!({ "accounts": payload(&entries) }).to_string();
        let answer = self.server.post(ACCOUNTS, &body).json();
        let (added, _) = self.model.import("local", &entries, false);
        assert_eq!(
            (&answer["added"], &answer["total"]),
            (&json!(added), &json!(entries.len())),
            "{body}"
        );
        format!("add {body}")
    }

    fn edit(&mut self) -> String {
        let token = token(self.dice.below(TOKENS));
        let (status, quota) = (self.dice.one(&STATUSES), self.dice.below(3) as u64);
        let mut body = json!({"status": status, "quota": quota});
        match self.dice.below(2) {
            0 => body["id"] = json!(self.ids[&token]),
            _ => body["access_token"] = json!(token),
        }
        let answer = self.server.post("/api/accounts/update", &body.to_string());
        match self.model.accounts.get_mut(&token) {
            None => assert_eq!(answer.status, 404, "{answer:?}"),
            Some(known) => {
                let before = known.clone();
                (known.status, known.quota) = (status.to_owned(), quota);
                assert_eq!(
                    answer.json()["changed"],
                    json!(*known != before),
                    "{answer:?}"
                );
            }
        }
        format!("edit {token} {body}")
    }

    fn remove(&mut self) -> String {
        let (mut ids, mut tokens) = (Vec::new(), Vec::new());
        let mut removed = 0;
        for _ in 0..1 + self.dice.below(3) {
            let token = token(self.dice.below(TOKENS));
            removed += u64::from(self.model.remove(&token));
            match self.dice.below(2) {
                0 => ids.push(self.ids[&token].clone()),
                _ => tokens.push(token),
            }
        }
        let body = json!({"ids": ids, "tokens": tokens}).to_string();
        let answer = self.server.delete_with(ACCOUNTS, &body).json();
        assert_eq!(answer["removed"], json!(removed), "{body}");
        format!("delete {body}")
    }

    fn release(&mut self) -> String {
        let (owner, removes) = (self.owner(), self.dice.below(2) == 0);
        let accounts = if removes { "remove" } else { "keep" };
        let body = json!({"owner": owner, "accounts": accounts}).to_string();
        let known = self
            .model
            .owners()
            .iter()
            .any(|(listed, ..)| *listed == owner);
        let answer = self.server.post("/api/accounts/release", &body);
        let (released, kept, removed) = self.model.release(&owner, removes);
        match known {
            true => assert_eq!(
                answer.json(),
                json!({"owner": owner, "released": released, "kept": kept, "removed": removed})
            ),
            false => assert_eq!(answer.status, 404, "{answer:?}"),
        }
        format!("release {body}")
    }

    fn create_source(&mut self) -> String {
        let id = self.server.source(r#"{"url": "http://a.example.test/"}"#);
        self.model.add_source(format!("source:{id}"));
        format!("create {id}")
    }

    fn delete_source(&mut self) -> String {
        let stored = self.model.stored();
        if stored.is_empty() {
            return "nothing".to_owned();
        }
        let owner = stored[self.dice.below(stored.len())].clone();
        let accounts = self.dice.one(&[
            "",
            "?accounts=keep",
            "?accounts=release",
            "?accounts=remove",
        ]);
        let id = id_of(&owner).expect("a source");
        let answer = self.server.delete(&format!("{SOURCES}/{id}{accounts}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        match accounts {
            "?accounts=release" => drop(self.model.release(&owner, false)),
            "?accounts=remove" => drop(self.model.release(&owner, true)),
            _ => {}
        }
        self.model.delete_source(&owner);
        self.gone.push(owner.clone());
        format!("delete {owner} {accounts}")
    }

    fn restart(&mut self) -> String {
        let server = std::mem::replace(&mut self.server, Server::start());
        let home = match self.dice.below(2) {
            0 => server.stop(),
            _ => server.crash(),
        };
        self.server = Server::start_in(home, self.options);
        "restart".to_owned()
    }

    /// Somebody who may own accounts: a person, a label, a source, or one that is gone.
    fn owner(&mut self) -> String {
        let mut owners: Vec<String> = LABELS.map(str::to_owned).into();
        // Sources come and go: while they are there, they should come to own something.
        let stored = self.model.stored();
        owners.extend([stored.clone(), stored.clone(), stored].concat());
        owners.extend(self.gone.last().cloned());
        let one = self.dice.below(owners.len());
        owners.swap_remove(one)
    }

    fn entries(&mut self) -> Vec<Entry> {
        let tokens: BTreeSet<_> = (0..1 + self.dice.below(6))
            .map(|_| self.dice.below(TOKENS))
            .collect();
        let dice = &mut self.dice;
        let mut entry = |number| Entry {
            token: token(number),
            provider: dice.one(&[None, None, Some("gpt"), Some("grok")]),
            status: dice.one(&[None, None, Some(STATUSES[0]), Some(STATUSES[1])]),
        };
        tokens.into_iter().map(&mut entry).collect()
    }

    /// Everything that tells of the pool tells the same.
    fn check(&mut self, said: &str) {
        let listed = self.listed(said);
        let export = self.server.post(EXPORT, "").body;
        let exported: Vec<Value> = export
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(exported.len(), self.model.order.len(), "{said}");
        for ((token, mut line), item) in self.model.order.iter().zip(exported).zip(&listed) {
            self.check_item(token, item, said);
            assert_eq!(line["access_token"], json!(token), "{said}");
            let line = line.as_object_mut().expect("an object");
            line.retain(|name, _| name != "access_token" && name != "owner_names");
            let mut shown = item.as_object().expect("an object").clone();
            shown.retain(|name, _| name != "id" && name != "token");
            assert_eq!(*line, shown, "{said}");
        }
        self.check_owners(said);
        self.check_counts(said);
        self.check_metrics(said);
        let one = self.dice.below(listed.len().max(1));
        if let Some(item) = listed.get(one) {
            let id = item["id"].as_str().expect("an id");
            assert_eq!(
                self.server.get(&format!("{ACCOUNTS}/{id}")).json()["item"],
                *item,
                "{said}"
            );
        }
    }

    /// The list, page by page; every page tells the pool's total.
    fn listed(&mut self, said: &str) -> Vec<Value> {
        let (mut items, mut after) = (Vec::new(), String::new());
        let limit = 1 + self.dice.below(TOKENS + 1);
        loop {
            let page = self
                .server
                .get(&format!("{ACCOUNTS}?limit={limit}&after={after}"))
                .json();
            assert_eq!(page["total"], json!(self.model.order.len()), "{said}");
            items.extend(page["items"].as_array().expect("a list").iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(items.len(), self.model.order.len(), "{said}");
        items
    }

    fn check_item(&self, token: &str, item: &Value, said: &str) {
        let known = &self.model.accounts[token];
        assert_eq!(item["id"], json!(self.ids[token]), "{said}");
        let sources = item["owners"]["sources"].as_array().expect("a list");
        let owners = sources
            .iter()
            .map(|id| format!("source:{}", id.as_str().expect("an id")));
        let local = item["owners"]["local"].as_bool().expect("a flag");
        let owners: BTreeSet<_> = owners.chain(local.then(|| "local".to_owned())).collect();
        assert_eq!(owners, known.owners, "{token}, {said}");
        assert_eq!(item.get("remote_source_id"), sources.last(), "{said}");
        assert_eq!(
            (&item["provider"], &item["status"], &item["quota"]),
            (
                &json!(known.provider),
                &json!(known.status),
                &json!(known.quota)
            ),
            "{token}, {said}"
        );
    }

    fn check_owners(&self, said: &str) {
        let answer = self.server.get("/api/accounts/owners").json();
        let owners = answer["owners"].as_array().expect("a list").iter();
        let owners: Vec<_> = owners
            .map(|owner| json!([owner["owner"], owner["kind"], owner["accounts"]]))
            .collect();
        assert_eq!(json!(owners), json!(self.model.owners()), "{said}");
    }

    /// The numbers that are kept are those that one would count.
    fn check_counts(&self, said: &str) {
        let count = |filter: &str| {
            let answer = self
                .server
                .get(&format!("{ACCOUNTS}?limit=1&count=true&{filter}"));
            answer.json()["total"].clone()
        };
        let accounts = || self.model.accounts.values();
        for status in STATUSES {
            let wanted = accounts().filter(|known| known.status == status).count();
            assert_eq!(
                count(&format!("status={}", encoded(status))),
                json!(wanted),
                "{status}, {said}"
            );
        }
        let wanted = accounts().filter(|known| known.provider == "grok").count();
        assert_eq!(count("provider=grok"), json!(wanted), "{said}");
        for (owner, _, accounts) in self.model.owners() {
            assert_eq!(
                count(&format!("owner={owner}")),
                json!(accounts),
                "{owner}, {said}"
            );
        }
    }

    /// What is told of the pool adds up to what is there.
    fn check_metrics(&self, said: &str) {
        let scrape = Scrape::of(&self.server);
        let mut kinds: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for known in self.model.accounts.values() {
            *kinds.entry((&known.provider, &known.status)).or_default() += 1.0;
        }
        let told = scrape.all("tributary_accounts");
        let told: BTreeMap<_, _> = told
            .iter()
            .map(|(labels, accounts)| {
                let label = |name: &str| labels[name].as_str();
                ((label("provider"), label("status")), *accounts)
            })
            .collect();
        assert_eq!(told, kinds, "{said}");
        for kind in ["local", "source", "deleted_source", "inject_label"] {
            let owners = self.model.owners().into_iter();
            let of_kind = owners.filter(|(_, of, _)| *of == kind);
            let wanted: f64 = of_kind.map(|(_, _, accounts)| accounts as f64).sum();
            let told = scrape.sum("tributary_owned_accounts", &[("owner_kind", kind)]);
            assert_eq!(told, wanted, "{kind}, {said}");
        }
    }
}

fn payload(entries: &[Entry]) -> Vec<Value> {
    let one = |entry: &Entry| json!({"token": entry.token, "provider": entry.provider, "status": entry.status});
    entries.iter().map(one).collect()
}

/// Text for an address, every byte of it encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
