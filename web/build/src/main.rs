//! Builds what needs a second compiler, the wasm and the page, and then what was asked for:
//! `cargo start` runs the server, `cargo prove` runs every test. Nothing here runs inside another build.
//!
//! Everything lands in `target/web`. What could not be had is said in a sentence and left out: the server works without.

mod debian;
mod glue;
mod inputs;
mod native;
mod optimise;
mod place;
mod python;
mod run;
mod trouble;
mod wasm;

use place::Place;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use trouble::Trouble;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let goal = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    match reach(goal.to_str().unwrap_or_default(), rest) {
        Ok(code) => code,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

fn reach(goal: &str, rest: Vec<OsString>) -> Result<ExitCode, Trouble> {
    let place = Place::find();
    match goal {
        "build" => build(&place).map(|()| ExitCode::SUCCESS),
        "start" => {
            go_on_without("the page and the wasm are", build(&place))?;
            run::server(&place, rest)
        }
        "prove" => {
            go_on_without("the page and the wasm are", build(&place))?;
            go_on_without("the library for C is", native::build(&place))?;
            python::install(&place)?;
            run::tests(&place, rest)
        }
        _ => Err(Trouble::Broken(
            "say `build`, `start` or `prove`, then what the server or the tests are given".into(),
        )),
    }
}

/// What is missing on this machine is told and done without; what is broken is not.
fn go_on_without(what: &str, built: Result<(), Trouble>) -> Result<(), Trouble> {
    match built {
        Err(Trouble::Missing(why)) => {
            eprintln!("{what} left out: {why}");
            Ok(())
        }
        other => other,
    }
}

/// Brings `target/web` up to date with what it is made of. Another builder waits meanwhile.
fn build(place: &Place) -> Result<(), Trouble> {
    fs::create_dir_all(place.web())?;
    fs::create_dir_all(place.work())?;
    let lock = File::create(place.work().join("lock"))?;
    lock.lock()?;
    let built = build_modules(place);
    if built.is_err() {
        // Rather no page than one that does not decide as this server does.
        fs::remove_dir_all(place.web())?;
        fs::create_dir_all(place.web())?;
    }
    built.and_then(|()| copy_page(place))
}

fn build_modules(place: &Place) -> Result<(), Trouble> {
    let optimiser = optimise::find(place);
    let made_of = inputs::stamp(place, optimiser.is_some())?;
    if inputs::unchanged(place, &made_of) {
        return Ok(());
    }
    eprintln!("building the wasm and the page (a minute or two the first time)");
    // Whatever interrupts it, what is there then is not taken for whole.
    inputs::forget(place)?;
    let compiler = wasm::Compiler::find(place)?;
    let plain = compiler.build(place, wasm::Module::Abi)?;
    let page = compiler.build(place, wasm::Module::Browser)?;
    let raw = place.work().join("glue");
    fs::remove_dir_all(&raw).ok();
    glue::make(&page, &raw)?;
    let modules = [
        (plain, "tributary.wasm"),
        (raw.join("tributary_web_bg.wasm"), "tributary_web_bg.wasm"),
    ];
    optimise::all(place, optimiser.as_ref(), &modules)?;
    put(
        &place.web().join("tributary_web.js"),
        &fs::read(raw.join("tributary_web.js"))?,
    )?;
    inputs::remember(place, &made_of)
}

/// The pages' own files, as they are; files that are no more go.
fn copy_page(place: &Place) -> Result<(), Trouble> {
    let page = place.root().join("web/page");
    if !page.is_dir() {
        return Ok(());
    }
    let modules = [
        "tributary.wasm",
        "tributary_web.js",
        "tributary_web_bg.wasm",
    ];
    copy_folder(&page, &place.web(), &modules)
}

/// Makes `to` hold what `from` holds and the files named `others`, and nothing else.
fn copy_folder(from: &Path, to: &Path, others: &[&str]) -> Result<(), Trouble> {
    fs::create_dir_all(to)?;
    let mut kept: Vec<OsString> = others.iter().map(OsString::from).collect();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &there, &[])?,
            false => put(&there, &fs::read(entry.path())?)?,
        }
        kept.push(entry.file_name());
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if kept.contains(&entry.file_name()) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Writes what differs and nothing else: the server is built again when a file here is newer than it.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    Ok(fs::write(path, bytes)?)
}
