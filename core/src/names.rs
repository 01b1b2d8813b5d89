//! Field names met so far, and what they mean. Entries of a payload mostly name the same fields in the same order, so
//! the name after the last one found is tried first, and a name is judged once.

use crate::json::{Node, push_quoted, text};
use crate::secret::is_secret_name;
use crate::typed::Typed;
use std::collections::BTreeMap;

/// What a field name means in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    AccessToken,
    Token,
    Provider,
    Typed(Typed),
    /// Never an alias of the token, or computed by the server.
    Dropped,
    /// Kept as it came.
    Plain,
    /// Kept as a secret, whatever it holds.
    Hidden,
}

impl Meaning {
    fn of(name: &str) -> Meaning {
        match name {
            "access_token" => Meaning::AccessToken,
            "token" => Meaning::Token,
            "provider" => Meaning::Provider,
            "accessToken" | "id" | "owners" | "owner_names" | "earlier_status" => Meaning::Dropped,
            "remote_source_id" | "remote_source_name" | "remote_injected_at" => Meaning::Dropped,
            _ => match Typed::of(name) {
                Some(typed) => Meaning::Typed(typed),
                None if is_secret_name(name) => Meaning::Hidden,
                None => Meaning::Plain,
            },
        }
    }
}

/// A name that was met.
pub(crate) struct Name {
    /// What it says.
    pub(crate) says: String,
    /// Its canonical JSON text.
    pub(crate) quoted: String,
    /// What it means at the top of an entry.
    pub(crate) meaning: Meaning,
    /// Whether it hides a value at any depth.
    pub(crate) hidden: bool,
    /// The entry in which it was met last, and the member it was there.
    met: (u64, usize),
}

/// The names met so far, each with a number.
#[derive(Default)]
pub(crate) struct Names {
    known: Vec<Name>,
    numbers: BTreeMap<String, usize>,
    next: usize,
    entry: u64,
}

impl Names {
    /// Names kept from one entry to the next.
    const MOST: usize = 4096;

    /// The name with this number.
    pub(crate) fn get(&self, number: usize) -> Option<&Name> {
        self.known.get(number)
    }

    /// Begins an entry: numbers given before may be given anew.
    pub(crate) fn begin_entry(&mut self) {
        self.entry = self.entry.wrapping_add(1);
        if self.known.len() > Names::MOST {
            self.known.clear();
            self.numbers.clear();
        }
    }

    /// The number of a name, given as a raw key.
    pub(crate) fn number(&mut self, key: &str) -> usize {
        let number = match self.known.get(self.next) {
            Some(name) if name.quoted == key => self.next,
            _ => self.search(key),
        };
        self.next = number.saturating_add(1);
        number
    }

    fn search(&mut self, key: &str) -> usize {
        let name = text(key);
        let mut quoted = String::with_capacity(key.len());
        push_quoted(&mut quoted, &name);
        if let Some(number) = self.numbers.get(quoted.as_str()) {
            return *number;
        }
        let number = self.known.len();
        let (meaning, hidden) = (Meaning::of(&name), is_secret_name(&name));
        self.numbers.insert(quoted.clone(), number);
        self.known.push(Name {
            says: name.into_owned(),
            quoted,
            meaning,
            hidden,
            met: (0, 0),
        });
        number
    }

    /// The members of an entry's object, each with the number of its name; of those with the same name only the last.
    pub(crate) fn members<'a>(&mut self, object: Node<'a>) -> Vec<(usize, Node<'a>)> {
        self.begin_entry();
        self.next = 0;
        let mut found: Vec<(usize, Node<'_>)> = Vec::with_capacity(16);
        let mut repeated = Vec::new();
        for (key, value) in object.members() {
            let number = self.number(key.raw());
            let here = (self.entry, found.len());
            let met = self
                .known
                .get_mut(number)
                .map(|name| std::mem::replace(&mut name.met, here));
            if let Some((entry, at)) = met
                && entry == self.entry
            {
                repeated.push(at);
            }
            found.push((number, value));
        }
        if !repeated.is_empty() {
            repeated.sort_unstable();
            let mut at = 0..found.len();
            let is_repeated = |at: usize| repeated.binary_search(&at).is_ok();
            found.retain(|_| !at.next().is_some_and(is_repeated));
        }
        found
    }
}
