//! Embeds the page's files that the builder left in `target/web`. It runs nothing and asks no network: without them
//! the server says how to get them.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let web = manifest.with_file_name("target").join("web");
    // A path that is not there would count as changed at every build.
    fs::create_dir_all(&web)?;
    println!("cargo::rerun-if-changed={}", web.display());
    println!("cargo::rerun-if-changed=build.rs");
    fs::write(out.join("page.rs"), table(&web, &out)?)?;
    Ok(())
}

/// The source of a table of all files that a browser may ask for, by name.
fn table(web: &Path, out: &Path) -> Result<String, Box<dyn Error>> {
    let mut table = String::from("&[\n");
    let mut found = Vec::new();
    collect(web, "", &mut found)?;
    found.sort();
    for (name, content_type) in found {
        // Copied, because the builder may be replacing them while the compiler reads.
        let copy = out.join("page").join(&name);
        fs::create_dir_all(copy.parent().unwrap_or(out))?;
        fs::copy(web.join(&name), &copy)?;
        writeln!(
            table,
            "    File {{ name: {name:?}, content_type: {content_type:?}, bytes: include_bytes!({copy:?}) }},"
        )?;
    }
    table.push(']');
    Ok(table)
}

/// Adds the files below `web/folder` by their names from `web` on, with `/` between the parts.
fn collect(
    web: &Path,
    folder: &str,
    found: &mut Vec<(String, &'static str)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(web.join(folder))? {
        let entry = entry?;
        let name = format!("{folder}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(web, &format!("{name}/"), found)?;
        } else if let Some(content_type) = content_type(&name) {
            found.push((name, content_type));
        }
    }
    Ok(())
}

/// What a file is; `None` for one that is none of the page's.
fn content_type(name: &str) -> Option<&'static str> {
    // The module for other programs than browsers.
    if name == "tributary.wasm" {
        return None;
    }
    match name.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}
