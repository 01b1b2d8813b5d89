//! Plans a payload that nobody holds: it comes twice, in any pieces, and of the plan only an outline is kept.

use crate::batch::{Batch, ItemsReader};
use crate::change::Change;
use crate::decider::{Arrival, Brought, Decider, EntryReader};
use crate::error::ImportError;
use crate::item::Item;
use crate::json::push_quoted;
use crate::plan::Counts;
use crate::plan_hash::PlanHasher;
use crate::wire::{
    Context, Object, between, push_change, push_counts, push_item, push_list, push_note,
    push_options, push_skip, refusal,
};
use std::borrow::Cow;

/// A plan under way, made from bytes that come twice.
///
/// The first time says which list the payload offers and which of its entries are taken; the second time each of them is read
/// again and decided on. What is kept is in proportion to the entries, not to their lengths.
pub struct Outline(Stage);

enum Stage {
    Reading(Box<Reading>),
    Deciding(Box<Deciding>),
    Refused(ImportError),
}

struct Reading {
    asked: Context,
    reader: ItemsReader<'static>,
}

struct Deciding {
    asked: Context,
    batch: Batch,
    /// How many items are decided on.
    done: usize,
    /// Bytes that have come a second time.
    read: u64,
    /// What earlier pieces held of the next item's entry.
    carry: Vec<u8>,
    counts: Counts,
    hasher: Option<PlanHasher>,
    /// The answer as far as it is written, in the list of changes.
    out: String,
    /// The elements of the list of what stays as it is.
    unchanged: String,
}

impl Outline {
    /// Begins a plan under the context of [`crate::plan_json`].
    pub fn new(context: &[u8]) -> Outline {
        Outline(match Context::read(context) {
            Ok(asked) => {
                let reader = ItemsReader::new(asked.pool.salt().clone());
                Stage::Reading(Box::new(Reading { asked, reader }))
            }
            Err(error) => Stage::Refused(error),
        })
    }

    /// Reads the next piece; `false` once the import is refused, and no other piece is needed.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        let refused = match &mut self.0 {
            Stage::Reading(reading) => reading.reader.feed(piece).err(),
            Stage::Deciding(deciding) => {
                deciding.feed(piece);
                None
            }
            Stage::Refused(_) => return false,
        };
        match refused {
            Some(error) => self.0 = Stage::Refused(error),
            None => return true,
        }
        false
    }

    /// Says that the bytes have ended and will come again from the beginning; `false` when the import is refused.
    pub fn turn(&mut self) -> bool {
        let stage = std::mem::replace(&mut self.0, Stage::Refused(ImportError::NotAWrapper));
        self.0 = match stage {
            Stage::Reading(reading) => match Deciding::begin(*reading) {
                Ok(deciding) => Stage::Deciding(Box::new(deciding)),
                Err(error) => Stage::Refused(error),
            },
            other => other,
        };
        matches!(self.0, Stage::Deciding(_))
    }

    /// Says that the bytes have ended for the second time: the answer of [`crate::plan_json`], in which changes that an entry
    /// brings about lack `provider`, `owners` and `fields`. The order of its members is another.
    pub fn finish(self) -> Vec<u8> {
        const TWICE: ImportError =
            ImportError::Context("outline: the payload must come twice, the same both times");
        let answer = match self.0 {
            Stage::Reading(_) => Err(TWICE),
            Stage::Deciding(deciding) => deciding.finish().ok_or(TWICE),
            Stage::Refused(error) => Err(error),
        };
        answer.unwrap_or_else(|error| refusal(&error)).into_bytes()
    }
}

impl Deciding {
    /// Departures come first: they are known when the whole payload was read.
    fn begin(reading: Reading) -> Result<Deciding, ImportError> {
        let Reading { asked, reader } = reading;
        let batch = reader.finish()?;
        let decider = Decider::new(&batch, &asked.options)?;
        let mut hasher = asked.wanted.hash.then(|| PlanHasher::new(&asked.options));
        let (mut counts, mut out) = (Counts::default(), String::from("{\"plan\":"));
        let mut object = Object::open(&mut out);
        push_options(&mut object, &asked.options);
        object.text("shape", batch.shape.as_str());
        push_list(object.member("skips"), &batch.skips, push_skip);
        push_list(object.member("notes"), &batch.notes, push_note);
        object.member("changes").push('[');
        for account in decider.departing(&batch, &asked.pool) {
            let change = decider.depart(account);
            note(&change, &mut counts, hasher.as_mut());
            between(&mut out, '[');
            push_change(&mut out, &change);
        }
        Ok(Deciding {
            asked,
            batch,
            done: 0,
            read: 0,
            carry: Vec::new(),
            counts,
            hasher,
            out,
            unchanged: String::new(),
        })
    }

    fn feed(&mut self, piece: &[u8]) {
        let salt = self.asked.pool.salt().clone();
        let (mut reader, begins) = (EntryReader::new(&salt), self.read);
        self.read = begins.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        while let Some(item) = self.batch.items.get(self.done).copied() {
            let end = item.span.offset.saturating_add(item.span.len);
            let within = |at: u64| usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX);
            let (from, to) = (within(item.span.offset), within(end).min(piece.len()));
            // An entry that begins later has nothing here.
            let here = piece.get(from..to).unwrap_or_default();
            if end > self.read {
                self.carry.extend_from_slice(here);
                return;
            }
            let carried = std::mem::take(&mut self.carry);
            let raw = match carried.is_empty() {
                true => Cow::Borrowed(here),
                false => Cow::Owned([&carried, here].concat()),
            };
            self.decide(&item, reader.read(&raw));
            self.done = self.done.saturating_add(1);
        }
    }

    fn decide(&mut self, item: &Item, brought: Brought) {
        let Context { options, pool, .. } = &self.asked;
        let before = pool.get(&item.fingerprint);
        match Decider::admitted(options).arrive(item, brought, before) {
            Arrival::Change(change) => {
                note(&change, &mut self.counts, self.hasher.as_mut());
                between(&mut self.out, '[');
                let masked = change.after.as_ref().map(|after| after.masked.as_str());
                push_item(
                    &mut self.out,
                    Some(change.kind),
                    item,
                    masked.unwrap_or_default(),
                );
            }
            Arrival::Unchanged { masked } => {
                self.counts.add_unchanged();
                if !self.unchanged.is_empty() {
                    self.unchanged.push(',');
                }
                push_item(&mut self.unchanged, None, item, &masked);
            }
        }
    }

    /// `None` when not every entry has come again.
    fn finish(self) -> Option<String> {
        if self.done < self.batch.items.len() {
            return None;
        }
        let mut out = self.out;
        out.push_str("],\"unchanged\":[");
        out.push_str(&self.unchanged);
        out.push_str("],\"counts\":");
        push_counts(&mut out, &self.counts);
        if let Some(hasher) = self.hasher {
            out.push_str(",\"plan_hash\":");
            push_quoted(&mut out, &hasher.finish().to_hex());
        }
        out.push_str("}}");
        Some(out)
    }
}

fn note(change: &Change<'_>, counts: &mut Counts, hasher: Option<&mut PlanHasher>) {
    counts.add(change.kind);
    if let Some(hasher) = hasher {
        hasher.add(change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{elements, members, root};
    use crate::plan_json;
    use std::collections::BTreeMap;

    /// The members of a plan by name, or of a refusal.
    fn parts(answer: &[u8]) -> BTreeMap<String, String> {
        let whole = root(answer).unwrap();
        let (_, inner) = members(whole).next().unwrap();
        let named = members(inner).map(|(name, value)| (name.to_owned(), value.to_owned()));
        named.collect()
    }

    /// A list of changes without what an outline lacks.
    fn outlined(changes: &str) -> Vec<Vec<(String, String)>> {
        let outline = |change| {
            let all: Vec<_> = members(change).collect();
            let arrives = all.iter().any(|(name, _)| *name == "\"index\"");
            let lacking = ["\"provider\"", "\"owners\"", "\"fields\""];
            all.into_iter()
                .filter(|(name, _)| !arrives || !lacking.contains(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        };
        elements(changes).map(outline).collect()
    }

    fn outline(payload: &[u8], context: &[u8], piece: usize) -> Vec<u8> {
        let mut outline = Outline::new(context);
        let feed = |outline: &mut Outline| payload.chunks(piece).all(|piece| outline.feed(piece));
        if feed(&mut outline) && outline.turn() {
            assert!(feed(&mut outline));
        }
        outline.finish()
    }

    const PAYLOADS: &[&str] = &[
        r#"["a-1", {"token": "a-2", "password": "p", "quota": 3}, "a-1", {"no": "token"}, "a-3", {"token": "a-4", "status": 7}]"#,
        r#"{"accounts": ["b-1"], "x": [1, {"y": "é…"}], "accounts": [{"token": "a-2", "quota": 3}, "c-1", "🦀-token"], "tokens": ["d-1"]}"#,
        "\u{feff} [ \"a-1\" ] ",
        "[]",
        "{}",
        "[\"a-1\", ",
        "",
    ];

    #[test]
    fn an_outline_of_pieces_is_the_plan_without_what_entries_change() {
        let none = br#"{"plan_hash": true}"#.to_vec();
        // More than are looked at together, each with a mask of its own.
        let many: Vec<_> = (100..300)
            .map(|n| format!("\"{n}-example-token-{n}\""))
            .collect();
        let many = format!("[{}]", many.join(","));
        let added = |payload: &str| {
            let plan = plan_json(payload.as_bytes(), br#"{"source_id": "s"}"#);
            parts(&plan)["\"changes\""].clone()
        };
        let added = [added(PAYLOADS[0]), added(&many)];
        let pool: Vec<String> = added
            .iter()
            .flat_map(|changes| elements(changes))
            .map(|change| {
                let of: BTreeMap<_, _> = members(change).collect();
                let (fingerprint, token) = (of["\"fingerprint\""], of["\"token\""]);
                format!(
                    r#"{{"fingerprint": {fingerprint}, "token": {token}, "owners": {{"sources": ["s"]}}, "fields": {{"quota": 3}}}}"#
                )
            })
            .collect();
        let context = |strategy: &str| {
            let pool = pool.join(",");
            format!(r#"{{"plan_hash": true, "source_id": "s", "strategy": "{strategy}", "pool": [{pool}]}}"#).into_bytes()
        };
        for payload in PAYLOADS.iter().chain([&many.as_str()]) {
            let payload = payload.as_bytes();
            for context in [
                &none,
                &context("merge"),
                &context("replace"),
                &b"[]".to_vec(),
            ] {
                let whole = parts(&plan_json(payload, context));
                let outline_wanted =
                    String::from_utf8_lossy(context).replacen('{', "{\"outline\": true, ", 1);
                let at_once = parts(&plan_json(payload, outline_wanted.as_bytes()));
                for piece in [1, 2, 7, 64, 4096] {
                    let mut outline = parts(&outline(payload, context, piece));
                    assert_eq!(outline, at_once);
                    let mut whole = whole.clone();
                    if let Some(changes) = whole.remove("\"changes\"") {
                        let outline = outline.remove("\"changes\"").unwrap();
                        assert_eq!(outlined(&outline), outlined(&changes));
                        assert!(!outline.contains("\"fields\"") || outline.contains("\"remove\""));
                    }
                    assert_eq!(outline, whole);
                }
            }
        }
    }

    #[test]
    fn bytes_that_do_not_come_again_are_refused() {
        let mut outline = Outline::new(b"{}");
        assert!(outline.feed(br#"["a-1", "a-2"]"#) && outline.turn() && outline.feed(br#"["a-1""#));
        let answer = outline.finish();
        assert!(String::from_utf8_lossy(&answer).contains("twice"));
        assert!(String::from_utf8_lossy(&Outline::new(b"{}").finish()).contains("twice"));
    }
}
