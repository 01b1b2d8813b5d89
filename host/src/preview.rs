//! `tributary plan`: the plan of an import in the terminal. Nothing is written.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;

use tributary_core::{
    Batch, ImportError, ImportOptions, Payload, Plan, Pool, Removal, Salt, SourceId, Strategy,
    Wanted, plan_text,
};

use crate::cli::Outcome;
use crate::cli::plan::PlanArgs;
use crate::output::{self, Object, Paint, diff};
use crate::store::accounts::{Accounts, Stored};
use crate::store::db::Db;
use crate::store::{Store, meta, policies};

/// Prints what the payload would change: for a person, or as JSON. A refusal is an error.
pub fn run(args: &PlanArgs) -> Outcome {
    let bytes = read_payload(&args.file)?;
    let db = args
        .data
        .as_deref()
        .map(|dir| Store::peek_opened(dir, &args.master_key))
        .transpose()?;
    let source_id = args.source_id.as_deref().and_then(SourceId::new);
    let removal = match (&db, &source_id) {
        (Some(db), Some(source)) => policies::read(db, source.as_str())?.removal,
        _ => Removal::default(),
    };
    let options = ImportOptions {
        strategy: args.strategy,
        source_id,
        provider: Some(args.provider),
        removal,
    };
    let text = plan(&bytes, &options, db.as_ref(), args)?;
    Ok(output::print(&text)?)
}

fn plan(
    bytes: &[u8],
    options: &ImportOptions,
    db: Option<&Db>,
    args: &PlanArgs,
) -> Result<String, Box<dyn Error>> {
    match db {
        // One snapshot: a server beside this command may be importing.
        Some(db) => db.on_one_snapshot(|db| plan_in(bytes, options, Some(db), args))?,
        None => plan_in(bytes, options, None, args),
    }
}

fn plan_in(
    bytes: &[u8],
    options: &ImportOptions,
    db: Option<&Db>,
    args: &PlanArgs,
) -> Result<String, Box<dyn Error>> {
    let salt = match db {
        Some(db) => Salt::new(*meta::salt(db)?),
        None => Salt::new([0; 32]),
    };
    let payload = Payload::read(bytes, &salt).map_err(|error| placed(error, bytes))?;
    let mut pool = Pool::new(salt);
    if let Some(db) = db {
        load(&mut pool, db, &payload.batch, options)?;
    }
    let owned = pool.owned_by(&options.owner()).count() as u64;
    let plan = Plan::decide(payload, options, &pool).map_err(|error| placed(error, bytes))?;
    let wanted = Wanted {
        hash: true,
        ..Wanted::default()
    };
    let text = plan_text(&plan, options, wanted);
    if args.json {
        return Ok(text + "\n");
    }
    let compared = match &args.data {
        Some(folder) => format!("Compared with the pool in `{}`.", folder.display()),
        None => {
            "Compared with an empty pool; `--data DIR` compares with the pool in DIR.".to_owned()
        }
    };
    let plan = Object::read(&text).unwrap_or_default().object("plan");
    Ok(diff(&plan, owned, &compared, 0, Paint::of(&io::stdout())))
}

/// Reads into `pool` the accounts that the import can touch.
fn load(
    pool: &mut Pool,
    db: &Db,
    batch: &Batch,
    options: &ImportOptions,
) -> Result<(), Box<dyn Error>> {
    let mut accounts = Accounts::new(db);
    let mut wanted: Vec<_> = batch.items().iter().map(|item| item.fingerprint).collect();
    if options.strategy == Strategy::Replace {
        wanted.extend(accounts.owned_by(&options.owner())?);
    }
    for fingerprint in wanted {
        let Some(Stored { account, entry, .. }) = accounts.find(&fingerprint)? else {
            continue;
        };
        match entry {
            Some(entry) => pool.put_brought(account, entry),
            None => pool.put(account),
        }
    }
    Ok(())
}

fn read_payload(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().lock().read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("cannot read `{}`: {error}", file.display())),
    }
}

/// A refusal with the line and column of its place, as editors count them.
fn placed(error: ImportError, bytes: &[u8]) -> String {
    let Some(span) = error.place() else {
        return error.to_string();
    };
    let before = &bytes[..bytes
        .len()
        .min(usize::try_from(span.offset).unwrap_or(usize::MAX))];
    let line = before.split(|byte| *byte == b'\n');
    let column = String::from_utf8_lossy(line.clone().next_back().unwrap_or_default())
        .chars()
        .count()
        + 1;
    format!("{error} (line {}, column {column})", line.count())
}
