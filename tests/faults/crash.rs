//! Power cuts: `kill -9` at random moments while clients import, replace and undo, and the pool is sealed anew.

mod undoing;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::service::client::{Answer, agent, ask};
use crate::service::harness::{Home, INJECT, Server};
use undoing::Undoing;

/// How often the server is killed.
const CRASHES: usize = 200;
/// How many of them hit the same directory before a fresh one is begun.
const CRASHES_A_DIRECTORY: usize = 10;
/// Clients that import at once; the last one replaces, the others merge.
const CLIENTS: usize = 4;

#[test]
fn what_was_acknowledged_is_there_whole_and_nothing_in_part() {
    let mut random = Random(0x7269_7665_7221);
    let (mut all, mut cut_amid) = (Sent::default(), 0);
    for directory in 0..CRASHES / CRASHES_A_DIRECTORY {
        let mut home = Home::new();
        let mut sent = Sent::default();
        for crash in 0..CRASHES_A_DIRECTORY {
            let server = Server::start_in(home, &[]);
            check(
                &server,
                &sent,
                &format!("directory {directory}, crash {crash}"),
            );
            home = until(server, &mut sent, &mut random, Server::crash);
            // Both keys are there until everything is sealed with the new one.
            let keys = std::fs::read_to_string(home.data().join("master-key"));
            cut_amid += usize::from(keys.expect("a key").lines().count() > 1);
        }
        let server = Server::start_in(home, &[]);
        check(&server, &sent, &format!("directory {directory}, end"));
        check_whole(server.home());
        all.merges.extend(sent.merges);
        all.replaces.extend(sent.replaces);
        all.undone.extend(sent.undone);
        all.rotations += sent.rotations;
    }
    let acknowledged = all
        .merges
        .iter()
        .filter(|import| import.acknowledged)
        .count();
    let open = all.merges.len() - acknowledged;
    assert!(
        acknowledged > CRASHES && open > CRASHES / 2,
        "the moments are telling: {acknowledged} acknowledged, {open} open"
    );
    // Figures of the README; `--nocapture` shows them.
    println!("{CRASHES} kills, {acknowledged} merges acknowledged, {open} cut off");
    println!("{} rotations ended, {cut_amid} cut off", all.rotations);
    assert!(
        all.rotations > CRASHES / 20 && cut_amid > CRASHES / 20,
        "the moments are telling: {} rotations ended, {cut_amid} cut off",
        all.rotations
    );
    let undone = all.undone.iter().filter(|undoing| undoing.undone).count();
    let cut_off = all
        .undone
        .iter()
        .filter(|undoing| undoing.is_open())
        .count();
    assert!(
        undone > CRASHES / 10 && cut_off > CRASHES / 20,
        "the moments are telling: {undone} undone, {cut_off} open"
    );
}

/// All imports that were sent, in order.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) merges: Vec<Import>,
    replaces: Vec<Import>,
    undone: Vec<Undoing>,
    /// How many ended.
    rotations: usize,
    /// Answers that no server may give while it works.
    refusals: Vec<Answer>,
}

/// An import of `size` accounts that all name it.
pub(super) struct Import {
    name: String,
    size: usize,
    pub(super) acknowledged: bool,
}

impl Import {
    fn new(random: &mut Random) -> Import {
        let size = if random.below(10) == 0 {
            200 + random.below(800)
        } else {
            1 + random.below(20)
        };
        Import {
            name: format!("import-{:016x}", random.next()),
            size,
            acknowledged: false,
        }
    }

    fn body(&self, strategy: &str) -> String {
        let accounts: Vec<Value> = (0..self.size)
            .map(|n| json!({"token": format!("{}-{n:04}", self.name), "import": self.name}))
            .collect();
        json!({"accounts": accounts, "strategy": strategy, "source_id": strategy}).to_string()
    }
}

/// Lets the clients import until the server meets its end at a random moment.
pub(super) fn until(
    server: Server,
    sent: &mut Sent,
    random: &mut Random,
    end: impl FnOnce(Server) -> Home,
) -> Home {
    let addr = server.addr;
    let moment = Duration::from_micros(3_000 + random.below(60_000) as u64);
    let record = Mutex::new(sent);
    let home = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (mut random, record) = (Random(random.next()), &record);
            scope.spawn(move || {
                let strategy = if client + 1 == CLIENTS {
                    "replace"
                } else {
                    "merge"
                };
                let agent = agent();
                let mut alive = true;
                while alive {
                    let mut import = Import::new(&mut random);
                    let answer = ask(
                        &agent,
                        addr,
                        "POST",
                        INJECT,
                        Some("Bearer admin"),
                        &import.body(strategy),
                    );
                    import.acknowledged = answer.as_ref().is_ok_and(|answer| answer.status == 200);
                    alive = import.acknowledged;
                    let mut record = record.lock().expect("no client panicked");
                    record.refusals.extend(answer.ok().filter(|_| !alive));
                    if strategy == "replace" {
                        record.replaces.push(import)
                    } else {
                        record.merges.push(import)
                    }
                }
            });
        }
        let (mut random, undone) = (Random(random.next()), &record);
        scope.spawn(move || undoing::until_killed(addr, undone, &mut random));
        let rotated = &record;
        scope.spawn(move || undoing::rotate_until_killed(addr, rotated));
        std::thread::sleep(moment);
        end(server)
    });
    let refusals = &record.into_inner().expect("no client panicked").refusals;
    assert!(refusals.is_empty(), "{}\n{refusals:#?}", home.log());
    home
}

/// Holds the pool against what was sent.
pub(super) fn check(server: &Server, sent: &Sent, moment: &str) {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut replaced: BTreeMap<String, usize> = BTreeMap::new();
    for account in server.pool() {
        let of = if account["owners"]["sources"] == json!(["replace"]) {
            &mut replaced
        } else {
            &mut found
        };
        *of.entry(account["import"].as_str().expect("its import").to_owned())
            .or_default() += 1;
    }
    for import in &sent.merges {
        match found.remove(&import.name) {
            Some(size) => assert_eq!(
                size, import.size,
                "{moment}: {} is there in part",
                import.name
            ),
            None => assert!(
                !import.acknowledged,
                "{moment}: {} was acknowledged and is gone",
                import.name
            ),
        }
    }
    for undoing in &sent.undone {
        undoing.check(found.remove(&undoing.import.name), moment);
    }
    assert!(found.is_empty(), "{moment}: nobody sent {found:?}");
    check_replaced(&replaced, &sent.replaces, moment);
}

/// Everything holds together, opens, and is as the audit says.
pub(super) fn check_whole(home: &Home) {
    for command in [&["verify"][..], &["audit", "verify"]] {
        let output = home.run(command);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{command:?}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The source that is always replaced holds the last acknowledged import, or one sent after it, whole and alone.
fn check_replaced(replaced: &BTreeMap<String, usize>, sent: &[Import], moment: &str) {
    let last = sent.iter().rposition(|import| import.acknowledged);
    let mut possible = sent.iter().skip(last.unwrap_or(0));
    assert!(
        replaced.len() <= 1,
        "{moment}: parts of several replaces: {replaced:?}"
    );
    match replaced.first_key_value() {
        Some((name, size)) => assert!(
            possible.any(|import| import.name == *name && import.size == *size),
            "{moment}: {name} with {size}"
        ),
        None => assert!(last.is_none(), "{moment}: an acknowledged replace is gone"),
    }
}

/// SplitMix64: the same moments in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }
}
