//! `tributary jobs undo`.

use clap::Args;

use super::super::Outcome;
use super::super::confirm::Yes;
use super::{JOBS, id, show};
use crate::client::{Client, Query};
use crate::output::{Object, Output};

/// Which job, and whether it is only looked at.
#[derive(Args)]
pub(super) struct UndoArgs {
    /// Id of the job
    #[arg(value_parser = id)]
    id: String,
    /// Show what the undo would change, and change nothing
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    yes: Yes,
}

pub(super) fn run(wanted: &UndoArgs, client: &Client, output: Output) -> Outcome {
    let path = [JOBS, &[&wanted.id, "undo"]].concat();
    let look = || client.post_expecting(&path, &vec![("plan", "true".to_owned())], None);
    if wanted.plan {
        let compared = format!("Compared with the pool of {}.", client.server());
        return Ok(output.plan(&look()?.text, &compared, 0)?);
    }
    wanted.yes.or_ask(|| {
        let answer = look()?;
        let plan = Object::read(&answer.text)
            .unwrap_or_default()
            .object("plan");
        let counts = plan.object("counts");
        let count = |name| counts.count(name);
        let left = plan.list("left").len() as u64 + plan.count("left_more");
        Ok(format!(
            "undo job {}: add {}, change {} and remove {} accounts, and leave {left} as they are",
            wanted.id,
            count("added"),
            count("updated") + count("released") + count("disabled"),
            count("removed"),
        ))
    })?;
    let answer = client.post_expecting(&path, &Query::new(), None)?;
    show::job(&answer.text, output)
}
