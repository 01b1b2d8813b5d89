//! The same decision for other runtimes: JSON in, JSON out, whatever the bytes.

mod context;

use crate::account::Account;
use crate::change::{Change, ChangeKind, FieldChange};
use crate::error::ImportError;
use crate::fingerprint::Fingerprint;
use crate::item::Item;
use crate::json::{Span, push_hex, push_number, push_quoted};
use crate::options::ImportOptions;
use crate::owner::SourceId;
use crate::plan::{Counts, Plan};
use crate::plan_hash::{PlanHash, PlanHasher};
use crate::secret::PLACEHOLDER;
use crate::typed::Typed;
use crate::{Note, Reason, Skip};
pub(crate) use context::Context;

/// Decides what `payload` would change, told by `context` how and in which pool; both are JSON text.
///
/// `context` is an object whose members may all be left out: `strategy` (`merge` or `replace`), `source_id`, `provider`
/// (`gpt`, `grok` or empty), `removal` (`remove` or `disable`), `plan_hash` (`true` for the plan's hash in the answer), `outline`
/// (`true` for an answer without what entries change), `salt` (64 hex digits) and `pool`, a list of accounts
/// `{"fingerprint", "token" (masked), "provider", "owners": {"local", "sources"}, "fields", "secrets", "earlier_status"}`
/// where `fields` has `"…"` at every secret place and `secrets` the fingerprints of those values in order.
///
/// An outline takes a third of the time, where no hash is asked for: its changes that an entry brings about lack `provider`,
/// `owners` and `fields`.
///
/// The answer is `{"plan": …}`, or `{"refusal": {"code", "message", "span"}}` when the import or the context is refused.
pub fn plan_json(payload: &[u8], context: &[u8]) -> Vec<u8> {
    answer(payload, context)
        .unwrap_or_else(|error| refusal(&error))
        .into_bytes()
}

fn answer(payload: &[u8], context: &[u8]) -> Result<String, ImportError> {
    let Context {
        options,
        pool,
        wanted,
    } = Context::read(context)?;
    let plan = crate::plan_import(payload, &options, &pool)?;
    Ok(plan_text(&plan, &options, wanted))
}

pub(crate) fn refusal(error: &ImportError) -> String {
    let mut out = String::from("{\"refusal\":");
    let mut object = Object::open(&mut out);
    object.text("code", error.code());
    object.text("message", &error.message());
    match error.place() {
        Some(span) => push_span(object.member("span"), span),
        None => object.member("span").push_str("null"),
    }
    object.close();
    out.push('}');
    out
}

/// What the JSON of a plan tells beside what every one tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The plan's hash.
    pub hash: bool,
    /// An outline: changes that an entry brings about are told without `provider`, `owners` and `fields`.
    pub outline: bool,
}

/// `{"plan": …}` as JSON text. Its hash, [`Plan::hash`], is made while changes are written; an outline has to make them for it.
pub fn plan_text(plan: &Plan<'_>, options: &ImportOptions, wanted: Wanted) -> String {
    let mut hasher = wanted.hash.then(|| PlanHasher::new(options));
    // What is told of a new account is a little more than half as long again as its entry.
    let eighths = if wanted.outline { 2 } else { 13 };
    let mut out = String::with_capacity(plan.arriving_bytes().saturating_mul(eighths) / 8);
    out.push_str("{\"plan\":");
    let mut object = Object::open(&mut out);
    push_options(&mut object, options);
    object.text("shape", plan.shape.as_str());
    push_counts(object.member("counts"), &plan.counts);
    let mut hash_at = 0;
    if wanted.hash {
        // Its place is kept until the changes are written: every hash is as long.
        let out = object.member("plan_hash");
        hash_at = out.len();
        push_quoted(out, &PlanHash::default().to_hex());
    }
    let changes = object.member("changes");
    changes.push('[');
    if wanted.outline {
        push_outlines(changes, plan);
    }
    if wanted.hash || !wanted.outline {
        plan.each_change(&mut |change| {
            if !wanted.outline {
                between(changes, '[');
                push_change(changes, change);
            }
            if let Some(hasher) = &mut hasher {
                hasher.add(change);
            }
        });
    }
    changes.push(']');
    let unchanged = object.member("unchanged");
    unchanged.push('[');
    push_items(unchanged, plan, false);
    unchanged.push(']');
    push_list(object.member("skips"), &plan.skips, push_skip);
    push_list(object.member("notes"), &plan.notes, push_note);
    object.close();
    out.push('}');
    match hasher {
        Some(hasher) => put_over(out, hash_at.saturating_add(1), &hasher.finish().to_hex()),
        None => out,
    }
}

/// The changes without what entries bring.
fn push_outlines(out: &mut String, plan: &Plan<'_>) {
    for change in plan.departures() {
        between(out, '[');
        push_change(out, &change);
    }
    push_items(out, plan, true);
}

/// The items that change their accounts, or those that do not.
fn push_items(out: &mut String, plan: &Plan<'_>, changes: bool) {
    plan.each_item(changes, &mut |kind, item, masked| {
        between(out, '[');
        push_item(out, kind, item, masked);
    });
}

/// The text with `new` in place of as many bytes of it. Both are ASCII there.
fn put_over(text: String, at: usize, new: &str) -> String {
    let mut bytes = text.into_bytes();
    for (old, new) in bytes.iter_mut().skip(at).zip(new.bytes()) {
        *old = new;
    }
    // INVARIANT: ASCII in place of ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}

/// How an import was asked for.
pub(crate) fn push_options(object: &mut Object<'_>, options: &ImportOptions) {
    object.text("strategy", options.strategy.as_str());
    object.optional_text(
        "source_id",
        options.source_id.as_ref().map(SourceId::as_str),
    );
    object.text("provider", options.provider.unwrap_or_default().as_str());
}

/// An item and what becomes of its account, if it changes, without what it brings.
pub(crate) fn push_item(out: &mut String, kind: Option<ChangeKind>, item: &Item, masked: &str) {
    push_head(out, kind, Some(item), &item.fingerprint, masked);
    out.push('}');
}

/// What becomes of an account, which entry does it, and which account it is. As much as is known beforehand is written as it stands.
fn push_head(
    out: &mut String,
    kind: Option<ChangeKind>,
    item: Option<&Item>,
    fingerprint: &Fingerprint,
    masked: &str,
) {
    out.push('{');
    if let Some(kind) = kind {
        out.push_str("\"change\":\"");
        out.push_str(kind.as_str());
        out.push_str("\",");
    }
    if let Some(item) = item {
        out.push_str("\"index\":");
        push_number(out, item.index);
        out.push_str(",\"span\":");
        push_span(out, item.span);
        out.push(',');
    }
    out.push_str("\"fingerprint\":\"");
    push_hex(out, fingerprint.as_bytes());
    out.push_str("\",\"token\":");
    push_quoted(out, masked);
}

pub(crate) fn push_skip(out: &mut String, skip: &Skip) {
    let mut object = Object::open(out);
    object.number("index", skip.index);
    push_span(object.member("span"), skip.span);
    object.text("reason", skip.reason.code());
    if let Reason::Duplicate { first } = skip.reason {
        object.number("first", first);
    }
    object.close();
}

impl Change<'_> {
    /// The change as JSON text, as a plan lists it.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        push_change(&mut out, self);
        out
    }
}

pub(crate) fn push_counts(out: &mut String, counts: &Counts) {
    let mut object = Object::open(out);
    object.number("total", counts.total());
    object.number("added", counts.added);
    object.number("updated", counts.updated);
    object.number("unchanged", counts.unchanged);
    object.number("skipped", counts.skipped());
    object.number("released", counts.released);
    object.number("disabled", counts.disabled);
    object.number("removed", counts.removed);
    object.close();
}

/// In one place: it is much code.
#[inline(never)]
pub(crate) fn push_change(out: &mut String, change: &Change<'_>) {
    // INVARIANT: an account is there before or afterwards.
    let Some(account) = change.after.as_ref().or(change.before) else {
        return;
    };
    let (kind, item) = (Some(change.kind), change.item.as_ref());
    push_head(out, kind, item, &account.fingerprint, &account.masked);
    out.push_str(",\"provider\":{\"before\":");
    push_step(out, change, |out, account| {
        push_quoted(out, account.provider.as_str());
    });
    out.push_str("},\"owners\":{\"before\":");
    push_step(out, change, |out, account| {
        account.owners.push_json(out);
    });
    out.push_str("},\"fields\":");
    push_list(out, change.fields(), push_field);
    out.push('}');
}

/// A field that changes. Most of a plan's text is fields, so what is known of them beforehand is written as it stands.
fn push_field(out: &mut String, field: FieldChange<'_>) {
    out.push_str("{\"name\":");
    out.push_str(field.name);
    match field.before {
        Some(before) => {
            out.push_str(",\"before\":");
            out.push_str(before);
            out.push_str(",\"after\":");
        }
        None => out.push_str(",\"before\":null,\"after\":"),
    }
    out.push_str(field.after.unwrap_or("null"));
    out.push('}');
}

/// What stands behind `{"before":` of something that accounts have, up to the end of what it is afterwards.
fn push_step(out: &mut String, change: &Change<'_>, push: impl Fn(&mut String, &Account)) {
    let push = |out: &mut String, account: Option<&Account>| match account {
        Some(account) => push(out, account),
        None => out.push_str("null"),
    };
    push(out, change.before);
    out.push_str(",\"after\":");
    push(out, change.after.as_ref());
}

pub(crate) fn push_note(out: &mut String, note: &Note) {
    let mut object = Object::open(out);
    object.text("code", note.code());
    if let Note::FieldIgnored { index, field } = note {
        object.number("index", *index);
        object.text("field", field.map_or(PLACEHOLDER, Typed::name));
    }
    object.close();
}

fn push_span(out: &mut String, span: Span) {
    out.push('[');
    push_number(out, span.offset);
    out.push(',');
    push_number(out, span.len);
    out.push(']');
}

/// A comma, except after what opens the list.
pub(crate) fn between(out: &mut String, opening: char) {
    if !out.ends_with(opening) {
        out.push(',');
    }
}

pub(crate) fn push_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut String, T),
) {
    out.push('[');
    let mut first = true;
    // Not one after the other: what is put together of several lists would look each time for where it is.
    items.into_iter().for_each(|item| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        push(out, item);
    });
    out.push(']');
}

/// A JSON object being written.
pub(crate) struct Object<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn open(out: &'o mut String) -> Object<'o> {
        out.push('{');
        Object { out, first: true }
    }

    /// Begins a member, whose name needs no escape.
    pub(crate) fn member(&mut self, name: &'static str) -> &mut String {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    fn json(&mut self, name: &'static str, value: &str) {
        self.member(name).push_str(value);
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        push_quoted(self.member(name), value);
    }

    fn optional_text(&mut self, name: &'static str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.json(name, "null"),
        }
    }

    fn number(&mut self, name: &'static str, value: u64) {
        push_number(self.member(name), value);
    }

    pub(crate) fn close(self) {
        self.out.push('}');
    }
}
