//! Field names met so far, and what they mean. Entries of a payload mostly name the same fields in the same order, so
//! the name after the last one found is tried first, and a name is judged once. With them goes the memory of those who read
//! and write members.

use crate::json::{Node, quoted, text};
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
    fn of(name: &str, hidden: bool) -> Meaning {
        match name {
            "access_token" => Meaning::AccessToken,
            "token" => Meaning::Token,
            "provider" => Meaning::Provider,
            "accessToken" | "id" | "owners" | "owner_names" | "earlier_status" => Meaning::Dropped,
            "remote_source_id" | "remote_source_name" | "remote_injected_at" => Meaning::Dropped,
            _ => match Typed::of(name) {
                Some(typed) => Meaning::Typed(typed),
                None if hidden => Meaning::Hidden,
                None => Meaning::Plain,
            },
        }
    }
}

/// Whether a member is taken as a field.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    /// As what it is.
    As(Option<Typed>),
    /// Its value has another type.
    NotTyped(Typed),
    /// Its name is itself a secret.
    NotNamed,
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

/// A member of an object that is being written: the number of its name, and where it and its secrets begin.
pub(crate) struct Written {
    pub(crate) name: usize,
    pub(crate) at: usize,
    pub(crate) secrets_at: usize,
}

impl Written {
    /// A member that has yet to be written.
    pub(crate) fn of(name: usize) -> Written {
        Written {
            name,
            at: 0,
            secrets_at: 0,
        }
    }
}

/// In place of the number of a name that comes again later: of such members the last one counts.
pub(crate) const REPEATED: usize = usize::MAX;

/// A member of an object, by the numbers of its name and of the part that its value is.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: usize,
    pub(crate) value: usize,
    /// Of an entry that was judged: `None` where it is no field.
    pub(crate) taken: Option<Taken>,
}

/// The names met so far, each with a number.
#[derive(Default)]
pub(crate) struct Names {
    known: Vec<Name>,
    numbers: BTreeMap<String, usize>,
    /// Bytes of the names, once each.
    bytes: usize,
    next: usize,
    entry: u64,
    /// Room for the members of the next entry.
    room: Vec<Member>,
    /// The members of the objects that are being written, the inmost last.
    pub(crate) writing: Vec<Written>,
}

impl Names {
    /// Names kept from one entry to the next, and bytes of them: a name can be as long as an entry.
    const MOST: usize = 4096;
    const MOST_BYTES: usize = 256 * 1024;

    /// The name with this number.
    pub(crate) fn get(&self, number: usize) -> Option<&Name> {
        self.known.get(number)
    }

    /// Begins an entry: numbers given before may be given anew.
    pub(crate) fn begin_entry(&mut self) {
        self.entry = self.entry.wrapping_add(1);
        if self.known.len() > Names::MOST || self.bytes > Names::MOST_BYTES {
            self.known.clear();
            self.numbers.clear();
            self.bytes = 0;
        }
    }

    /// The number of a name, given as a raw key. Always inlined, as every key of an entry goes through it, and the search never.
    #[inline(always)]
    pub(crate) fn number(&mut self, key: &str) -> usize {
        let number = match self.known.get(self.next) {
            Some(name) if is_same(name.quoted.as_bytes(), key.as_bytes()) => self.next,
            _ => self.search(key),
        };
        self.next = number.saturating_add(1);
        number
    }

    #[inline(never)]
    fn search(&mut self, key: &str) -> usize {
        let name = text(key);
        let quoted = quoted(&name);
        if let Some(number) = self.numbers.get(quoted.as_str()) {
            return *number;
        }
        let number = self.known.len();
        let hidden = is_secret_name(&name);
        let meaning = Meaning::of(&name, hidden);
        self.bytes = self.bytes.saturating_add(quoted.len());
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

    /// The members of an entry's object; of those with the same name only the last.
    pub(crate) fn members(&mut self, object: Node<'_>) -> Vec<Member> {
        self.begin_entry();
        self.next = 0;
        let mut found = std::mem::take(&mut self.room);
        found.clear();
        let mut part = 1usize;
        for (key, value) in object.members() {
            let name = self.number(key.raw());
            let here = (self.entry, found.len());
            let met = self
                .known
                .get_mut(name)
                .map(|name| std::mem::replace(&mut name.met, here));
            if let Some((entry, at)) = met
                && entry == self.entry
                && let Some(earlier) = found.get_mut(at)
            {
                earlier.name = REPEATED;
            }
            part = part.wrapping_add(key.size());
            found.push(Member {
                name,
                value: part,
                taken: None,
            });
            part = part.wrapping_add(value.size());
        }
        found.retain(|member| member.name != REPEATED);
        found
    }

    /// Takes the memory of members back, for those of the next entry: that of the largest is kept.
    pub(crate) fn put_back(&mut self, members: Vec<Member>) {
        if members.capacity() > self.room.capacity() {
            self.room = members;
        }
    }
}

/// Whether two texts are the same. Short ones are compared in two words that overlap, without a call.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline)]
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        8..=16 => {
            one.first_chunk::<8>() == other.first_chunk()
                && one.last_chunk::<8>() == other.last_chunk()
        }
        4..=7 => {
            one.first_chunk::<4>() == other.first_chunk()
                && one.last_chunk::<4>() == other.last_chunk()
        }
        0..=3 => one.iter().eq(other),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_when_all_their_bytes_are() {
        for len in 0..40 {
            let one: Vec<u8> = (0..len).collect();
            assert!(is_same(&one, &one.clone()), "{len}");
            assert!(!is_same(&one, &[&one[..], b"x"].concat()), "{len}");
            for at in 0..one.len() {
                let mut other = one.clone();
                other[at] ^= 1;
                assert!(!is_same(&one, &other), "{len}: {at}");
            }
        }
    }

    #[test]
    fn names_that_are_long_or_many_are_not_kept() {
        for (len, count) in [(10, 3 * Names::MOST), (100_000, 30)] {
            let (mut names, mut most) = (Names::default(), 0);
            for n in 0..count {
                names.begin_entry();
                names.number(&format!("\"{n:05}{}\"", "x".repeat(len)));
                most = most.max(names.bytes);
            }
            assert!(names.known.len() <= Names::MOST + 1, "{len}");
            assert!(most <= Names::MOST_BYTES + len + 7, "{len}: {most}");
            let held: usize = names.known.iter().map(|name| name.quoted.len()).sum();
            assert_eq!(held, names.bytes);
            assert_eq!(names.numbers.len(), names.known.len());
        }
    }
}
