//! How a job is taken back: what an account was before it, what the job made of it, and what it is now.

use crate::account::{Account, Document, Field, SecretPlace};
use crate::change::{Change, ChangeKind};
use crate::json::text;
use crate::owner::{Owner, Owners};
use crate::secret::{PLACEHOLDER, shown_name};
use crate::typed::Typed;
use crate::value::Secret;
use std::collections::BTreeMap;
use std::fmt;

/// The longest name of a field that is told, in bytes.
const LONGEST_NAME: usize = 64;

/// What a job did to one account.
#[derive(Clone, Copy)]
pub struct Done<'a> {
    /// The account as the job found it; `None` when it added it.
    pub before: Option<&'a Account>,
    /// The account as the job left it; `None` when it removed it.
    pub after: Option<&'a Account>,
    /// The token of `before`.
    pub token: Option<&'a str>,
    /// The secret values of `before` as JSON texts, in the order of their places.
    pub secrets: &'a [&'a str],
}

/// How an account is taken back to what it was.
pub struct Undone<'p> {
    /// What changes; `None` when nothing does.
    pub change: Option<Change<'p>>,
    /// What stays because it is no longer what the job left.
    pub left: Vec<Left>,
}

/// What an undo leaves, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The account left the pool since.
    Gone,
    /// The account came back into the pool since.
    Back,
    /// The job added the account, and it has other owners now.
    OwnedByOthers,
    /// A field was changed since; by its name, `…` for one that is secret or long.
    Field(String),
    /// The provider was changed since.
    Provider,
    /// Nobody but the job's owner owns the account any more.
    LastOwner,
}

impl Left {
    /// The stable code that programs compare.
    pub fn code(&self) -> &'static str {
        match self {
            Left::Gone => "account_gone",
            Left::Back => "account_back",
            Left::OwnedByOthers => "owned_by_others",
            Left::Field(_) => "field_changed",
            Left::Provider => "provider_changed",
            Left::LastOwner => "last_owner",
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Left::Gone => "the account has left the pool since",
            Left::Back => "the account is in the pool again",
            Left::OwnedByOthers => {
                "the account has other owners now: it stays, without the owner that the job gave it"
            }
            Left::Field(name) => return write!(f, "`{name}` was changed since"),
            Left::Provider => "the provider was changed since",
            Left::LastOwner => {
                "the owner that the job gave the account is its only one now: it stays the owner"
            }
        })
    }
}

/// Takes back what a job did to an account, as far as that still is what the job left. What the job did not write, and
/// what was written since, stays. An account out of use that gets an owner back is in use again, unless the job found it so.
pub fn undo<'p>(done: &Done<'_>, now: Option<&'p Account>) -> Undone<'p> {
    let only = |left| Undone {
        change: None,
        left: vec![left],
    };
    match (done.before, done.after, now) {
        (Some(before), None, None) => Undone {
            change: Some(brought_back(before, done)),
            left: Vec::new(),
        },
        (Some(_), None, Some(_)) => only(Left::Back),
        (Some(_), Some(_), None) => only(Left::Gone),
        (None, Some(after), Some(now)) => taken_away(after, now),
        (Some(before), Some(after), Some(now)) => Returning {
            before,
            after,
            now,
            secrets: done.secrets,
            left: Vec::new(),
        }
        .undone(now),
        // What was added is gone already.
        (None, ..) => Undone {
            change: None,
            left: Vec::new(),
        },
    }
}

/// An account that was removed.
fn brought_back<'p>(before: &Account, done: &Done<'_>) -> Change<'p> {
    let new = |value: &&str| SecretPlace::New(Secret::new((*value).to_owned()));
    Change {
        kind: ChangeKind::Add,
        item: None,
        before: None,
        after: Some(before.clone()),
        secrets: done.secrets.iter().map(new).collect(),
        token: done.token.map(|token| Secret::new(token.to_owned())),
    }
}

/// An account that was added: it goes with the owners that the job gave it.
fn taken_away<'p>(after: &Account, now: &'p Account) -> Undone<'p> {
    let others = without(&now.owners, &after.owners);
    if others.is_empty() {
        return Undone {
            change: Some(crate::release::remove(now)),
            left: Vec::new(),
        };
    }
    let released = (others != now.owners).then(|| Change {
        kind: ChangeKind::Release,
        item: None,
        before: Some(now),
        after: Some(Account {
            owners: others,
            ..now.clone()
        }),
        secrets: now.unchanged_fields().1,
        token: None,
    });
    Undone {
        change: released,
        left: vec![Left::OwnedByOthers],
    }
}

/// What becomes of the status of an account.
#[derive(Clone, Copy)]
enum Status<'a> {
    /// The same as of any other field.
    Returns,
    /// It is what it is now.
    Stays,
    /// The account is in use again, with this one.
    InUse(Field<'a>),
}

/// An account that was changed, on its way to what it was.
struct Returning<'a> {
    before: &'a Account,
    after: &'a Account,
    now: &'a Account,
    secrets: &'a [&'a str],
    left: Vec<Left>,
}

impl<'a> Returning<'a> {
    fn undone<'p>(mut self, now: &'p Account) -> Undone<'p> {
        let owners = self.owners();
        let provider = self.value(|account| account.provider, Left::Provider);
        let status = self.status(&owners);
        let earlier_status = self.earlier_status(status);
        let (document, secrets) = self.fields(status);
        let after = Account {
            fingerprint: now.fingerprint,
            masked: now.masked.clone(),
            provider,
            owners,
            document,
            earlier_status,
        };
        let only_owners = Account {
            owners: after.owners.clone(),
            ..now.clone()
        };
        let leave = without(&now.owners, &after.owners);
        let come = without(&after.owners, &now.owners);
        let kind = match after == only_owners && !leave.is_empty() && come.is_empty() {
            true => ChangeKind::Release,
            false => ChangeKind::Update,
        };
        let change = (after != *now).then_some(Change {
            kind,
            item: None,
            before: Some(now),
            after: Some(after),
            secrets,
            token: None,
        });
        Undone {
            change,
            left: self.left,
        }
    }

    /// What a part of the account becomes: what it was, where it still is what the job wrote.
    fn value<T: PartialEq>(&mut self, of: impl Fn(&'a Account) -> T, left: Left) -> T {
        let (before, after, now) = (of(self.before), of(self.after), of(self.now));
        if before != after && now == after {
            return before;
        }
        if before != after && now != before {
            self.left.push(left);
        }
        now
    }

    /// Owners that the job gave go, those that it took return, others stay.
    fn owners(&mut self) -> Owners {
        let (before, after, now) = (&self.before.owners, &self.after.owners, &self.now.owners);
        if now == after {
            return before.clone();
        }
        let (given, taken) = (without(after, before), without(before, after));
        let stay = without(now, &given);
        // Those that return come before the latest importers since.
        let sources = taken.sources().iter().chain(stay.sources()).cloned();
        let owners = Owners::new(taken.local() || stay.local(), sources);
        if owners.is_empty() && !before.is_empty() && !now.is_empty() {
            self.left.push(Left::LastOwner);
            return now.clone();
        }
        owners
    }

    /// What becomes of the status, with these owners.
    fn status(&mut self, owners: &Owners) -> Status<'a> {
        // An account with an owner is in use: the status that it had without one does not return to it, but where its owners
        // are again those that it had out of use.
        let was_out_of_use = self.before.earlier_status.is_some();
        if owners.is_empty() || (was_out_of_use && *owners == self.before.owners) {
            return Status::Returns;
        }
        // With its first owner it comes back into use, as an import brings it back.
        if self.now.owners.is_empty() && self.now.earlier_status.is_some() {
            let status = self.value(Account::status_in_use, left_field("status"));
            return status.map_or(Status::Returns, Status::InUse);
        }
        match was_out_of_use {
            true => Status::Stays,
            false => Status::Returns,
        }
    }

    fn earlier_status(&mut self, status: Status<'_>) -> Option<String> {
        let written = |account: &'a Account| account.document.typed_field(Typed::Status);
        match status {
            Status::InUse(_) => None,
            Status::Returns if written(self.now) == written(self.after) => {
                let of = |account: &Account| account.earlier_status.clone();
                self.value(of, left_field("earlier_status"))
            }
            // It goes with the status that stays.
            Status::Returns | Status::Stays => self.now.earlier_status.clone(),
        }
    }

    fn fields(&mut self, status: Status<'a>) -> (Document, Vec<SecretPlace>) {
        let before = self.before.document.places();
        let (was, now) = (by_name(&before), self.now.document.places());
        let mut fields = self.returned(&was, status);
        let same = |field: &Field<'_>| was.get(field.name).map(|(was, _)| was) == Some(field);
        if fields.len() == before.len() && fields.iter().all(same) {
            fields = before.iter().map(|(field, _)| *field).collect();
        }
        let (mut secrets, is) = (Vec::new(), by_name(&now));
        for field in &fields {
            let count = field.marks.len();
            if let Some((_, at)) = is.get(field.name).filter(|(there, _)| there == field) {
                secrets.extend((*at..).take(count).map(SecretPlace::Kept));
            } else {
                let at = was.get(field.name).map_or(0, |(_, at)| *at);
                let values = self.secrets.iter().skip(at).take(count);
                secrets
                    .extend(values.map(|value| SecretPlace::New(Secret::new((*value).to_owned()))));
            }
        }
        (Document::of_fields(fields), secrets)
    }

    /// Those of now, as they were where they still are what the job wrote; then those that the job took away.
    fn returned(&mut self, was: &Places<'a>, status: Status<'a>) -> Vec<Field<'a>> {
        let (after, now) = (self.after.document.places(), self.now.document.places());
        let (wrote, is) = (by_name(&after), by_name(&now));
        let field_of = |places: &Places<'a>, name: &str| places.get(name).map(|(field, _)| *field);
        let mut fields = Vec::with_capacity(now.len());
        for (field, _) in &now {
            let (before, after) = (field_of(was, field.name), field_of(&wrote, field.name));
            let is_status = field.name == Typed::Status.quoted();
            if let (true, Status::InUse(status)) = (is_status, status) {
                fields.push(status);
                continue;
            }
            let kept = is_status && matches!(status, Status::Stays) && before != after;
            if kept && before != Some(*field) {
                self.leave(field.name);
            }
            match before == after || kept {
                true => fields.push(*field),
                false if after == Some(*field) => fields.extend(before),
                false => {
                    fields.push(*field);
                    if before != Some(*field) {
                        self.leave(field.name);
                    }
                }
            }
        }
        for (name, (field, _)) in was.iter().filter(|(name, _)| !is.contains_key(*name)) {
            match wrote.contains_key(name) {
                false => fields.push(*field),
                true if field_of(&wrote, name) == Some(*field) => {}
                true => self.leave(name),
            }
        }
        fields
    }

    /// Names come from sources: what is longer than a name, or a secret, is not told.
    fn leave(&mut self, name: &str) {
        let name = text(name);
        let name = match name.len() <= LONGEST_NAME {
            true => shown_name(&name),
            false => PLACEHOLDER,
        };
        self.left.push(Left::Field(name.to_owned()));
    }
}

fn left_field(name: &str) -> Left {
    Left::Field(name.to_owned())
}

/// Fields by their names, each with the number of secrets before it.
type Places<'d> = BTreeMap<&'d str, (Field<'d>, usize)>;

fn by_name<'d>(places: &[(Field<'d>, usize)]) -> Places<'d> {
    let named = places.iter().map(|(field, at)| (field.name, (*field, *at)));
    named.collect()
}

/// The owners of `all` that are not among `some`.
fn without(all: &Owners, some: &Owners) -> Owners {
    let all = if some.local() {
        all.clone().without(&Owner::Local)
    } else {
        all.clone()
    };
    let sources = some.sources().iter().cloned().map(Owner::Source);
    sources.fold(all, |all, owner| all.without(&owner))
}

#[cfg(test)]
mod tests;
