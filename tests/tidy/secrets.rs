//! What owns a secret cannot be printed: neither for people nor for programs. The source says which types those are; of some
//! that others are made of it is also decided when the tests compile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tributary_core::{Brought, Change, Restored, Salt, Secret, SecretPlace};
use tributary_host::auth::AdminSecret;
use tributary_host::source::Source;
use tributary_host::store::Db;
use tributary_host::store::vault::{MasterKey, Vault};

use super::{proper_sources, root};

/// Which of two cases holds for a type must be known to call `case`: it is not where the type has one of the traits.
trait Unprintable<Case> {
    fn case() {}
}
struct HasDebug;
struct HasDisplay;
struct HasSerialize;
impl<T: ?Sized> Unprintable<()> for T {}
impl<T: ?Sized + Debug> Unprintable<HasDebug> for T {}
impl<T: ?Sized + Display> Unprintable<HasDisplay> for T {}
impl<T: ?Sized + Serialize> Unprintable<HasSerialize> for T {}

#[test]
fn what_owns_a_secret_cannot_be_printed() {
    let unprintable: [fn(); 10] = [
        <Secret as Unprintable<_>>::case,
        <SecretPlace as Unprintable<_>>::case,
        <Salt as Unprintable<_>>::case,
        <Change<'_> as Unprintable<_>>::case,
        <Brought as Unprintable<_>>::case,
        <Restored as Unprintable<_>>::case,
        <MasterKey as Unprintable<_>>::case,
        <Vault as Unprintable<_>>::case,
        <Source as Unprintable<_>>::case,
        <AdminSecret as Unprintable<_>>::case,
    ];
    unprintable.iter().for_each(|case| case());
    <Db as Unprintable<_>>::case();
}

/// What a secret is kept in.
const KEEPERS: [&str; 3] = ["Zeroizing", "Secret", "Aes256GcmSiv"];

/// A type as the source has it, by its file and name.
type Named = (PathBuf, String);

#[derive(Default)]
struct Type {
    /// Words of the types of its fields.
    owns: BTreeSet<String>,
    /// How it is printed.
    printed: BTreeSet<String>,
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

/// Traits that print, of those that a line names.
fn printing(line: &str) -> impl Iterator<Item = String> + '_ {
    let traits = words(line).filter(|word| ["Debug", "Display", "Serialize"].contains(word));
    traits.map(str::to_owned)
}

/// The name after `struct` or `enum`.
fn declared(line: &str) -> Option<&str> {
    let mut words = words(line).filter(|word| !["pub", "super", "crate"].contains(word));
    let kind = words.next()?;
    ["struct", "enum"].contains(&kind).then(|| words.next())?
}

/// What a line of a declaration says of types: behind a field's name, or in the parentheses of a variant.
fn types_in(line: &str) -> &str {
    let line = line.split("//").next().unwrap_or_default().trim_start();
    let line = ["pub(super) ", "pub(crate) ", "pub "]
        .iter()
        .find_map(|who| line.strip_prefix(who))
        .unwrap_or(line);
    let field = line.split_once(": ").or_else(|| line.split_once('('));
    field.map_or("", |(_, types)| types)
}

/// Notes every type of a file.
fn read(file: &Path, types: &mut BTreeMap<Named, Type>) {
    let text = fs::read_to_string(file).expect("a source");
    let mut derived = BTreeSet::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if let Some((traits, name)) = line.split_once(" for ")
            && code.starts_with("impl")
            && let Some(name) = words(name).next()
        {
            let of = types.entry((file.to_owned(), name.to_owned()));
            of.or_default().printed.extend(printing(traits));
        }
        if code.starts_with("#[derive") {
            derived.extend(printing(line));
        } else if let Some(name) = declared(line) {
            let indent = line.len() - code.len();
            let ends = |line: &str| {
                line.len() - line.trim_start().len() == indent && line.ends_with(['}', ';'])
            };
            let kept = types.entry((file.to_owned(), name.to_owned())).or_default();
            kept.printed.append(&mut derived);
            let mut next = Some(line);
            while let Some(line) = next {
                kept.owns.extend(words(types_in(line)).map(str::to_owned));
                next = if ends(line) { None } else { lines.next() };
            }
        } else if !code.starts_with("#[") && !code.starts_with("//") {
            derived.clear();
        }
    }
}

/// The type that a word means in a file: one of its own before one of another.
fn meant<'t>(types: &'t BTreeMap<Named, Type>, file: &Path, word: &str) -> Vec<&'t Named> {
    let (own, others): (Vec<_>, Vec<_>) = types
        .keys()
        .filter(|(_, name)| name == word)
        .partition(|(place, _)| place == file);
    if own.is_empty() { others } else { own }
}

#[test]
fn no_type_that_owns_one_says_how_it_is_printed() {
    let mut types = BTreeMap::new();
    for part in ["core/src", "host/src"] {
        let files = proper_sources(&root().join(part));
        files.iter().for_each(|file| read(file, &mut types));
    }
    let mut owners: BTreeSet<&Named> = BTreeSet::new();
    let mut known = usize::MAX;
    while known != owners.len() {
        known = owners.len();
        for (named, kept) in &types {
            let owns = |word: &String| {
                KEEPERS.contains(&word.as_str())
                    || meant(&types, &named.0, word)
                        .iter()
                        .any(|of| owners.contains(of))
            };
            if kept.owns.iter().any(owns) {
                owners.insert(named);
            }
        }
    }
    let names: Vec<&str> = owners.iter().map(|(_, name)| name.as_str()).collect();
    println!("{names:?}");
    for name in [
        "MasterKeyOptions",
        "NewKey",
        "Source",
        "Key",
        "Edit",
        "App",
        "Store",
        "Change",
    ] {
        assert!(names.contains(&name), "{name} owns a secret: {names:?}");
    }
    let printed = owners.iter().filter_map(|named| {
        let by = &types.get(*named)?.printed;
        (!by.is_empty()).then(|| format!("{named:?} by {by:?}"))
    });
    assert_eq!(printed.collect::<Vec<_>>(), Vec::<String>::new());
}
