//! What owns a secret cannot be printed: neither for people nor for programs. This is decided when the tests compile.

use std::fmt::{Debug, Display};

use serde::Serialize;
use tributary_core::{Brought, Change, Restored, Salt, Secret, SecretPlace};
use tributary_host::auth::AdminSecret;
use tributary_host::source::Source;
use tributary_host::store::Db;
use tributary_host::store::vault::{MasterKey, Vault};

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
