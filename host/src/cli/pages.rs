//! Lists that a server gives a page at a time.

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Outcome;
use crate::client::{Client, ClientError, Query};
use crate::output::{self, Cell, Column, Object, Output};

/// The most that one page may hold.
const PAGE: u64 = 1000;

/// How much of a list is wanted.
#[derive(Args)]
pub(super) struct Paging {
    /// Most to show, as a count
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Show all there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on behind an earlier list: its `next`
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
}

/// What a list is, and how a row of it looks.
pub(super) struct List<'l> {
    pub(super) path: &'l [&'l str],
    pub(super) filters: Query<'l>,
    pub(super) columns: &'static [Column],
    pub(super) row: fn(&Object<'_>) -> Vec<Cell>,
    /// What the things are called, such as `accounts`.
    pub(super) things: &'static str,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    next: Option<String>,
    total: Option<u64>,
}

impl Paging {
    /// Prints the list, page by page as it arrives.
    pub(super) fn show(&self, client: &Client, output: Output, list: &List<'_>) -> Outcome {
        match output.is_json() {
            true => self.document(client, output, list),
            false => self.table(client, output, list),
        }
    }

    fn table(&self, client: &Client, output: Output, list: &List<'_>) -> Outcome {
        let mut table = output.table(list.columns);
        let (mut shown, mut rest) = (0, Rest::new(self));
        while let Some(text) = rest.ask(client, list)? {
            let page = rest.read(client, &text)?;
            let objects = page
                .items
                .iter()
                .filter_map(|item| Object::read(item.get()));
            let rows: Vec<_> = objects.map(|object| (list.row)(&object)).collect();
            shown += rows.len();
            if !rows.is_empty() {
                output::print(&table.page(&rows))?;
            }
            if rest.is_over() {
                remark_on(shown, &page, list);
            }
        }
        Ok(())
    }

    /// One document of the shape that a page has, whole.
    fn document(&self, client: &Client, output: Output, list: &List<'_>) -> Outcome {
        let (mut shown, mut rest) = (0, Rest::new(self));
        while let Some(text) = rest.ask(client, list)? {
            let page = rest.read(client, &text)?;
            if rest.is_over() && rest.pages == 1 {
                return Ok(output.json(&text)?);
            }
            let mut part = String::from(if rest.pages == 1 { "{\"items\":[" } else { "" });
            for item in &page.items {
                part.push_str(if shown > 0 { "," } else { "" });
                part.push_str(item.get());
                shown += 1;
            }
            if rest.is_over() {
                part.push_str(&format!(
                    "],\"next\":{}",
                    serde_json::to_string(&page.next)?
                ));
                if let Some(total) = page.total {
                    part.push_str(&format!(",\"total\":{total}"));
                }
                part.push('}');
                output.json(&part)?;
            } else {
                output.part(&part)?;
            }
        }
        Ok(())
    }
}

/// What is still to be asked for.
struct Rest {
    wanted: u64,
    after: Option<String>,
    over: bool,
    pages: u64,
}

impl Rest {
    fn new(paging: &Paging) -> Rest {
        Rest {
            wanted: if paging.all { u64::MAX } else { paging.limit },
            after: paging.after.clone(),
            over: false,
            pages: 0,
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }

    /// The text of the next page; `None` behind the last.
    fn ask(&mut self, client: &Client, list: &List<'_>) -> Result<Option<String>, ClientError> {
        if self.over {
            return Ok(None);
        }
        let mut query = list.filters.clone();
        query.push(("limit", self.wanted.min(PAGE).to_string()));
        if let Some(after) = &self.after {
            query.push(("after", after.clone()));
        }
        self.pages += 1;
        client
            .get(list.path, &query)
            .map(|answer| Some(answer.text))
    }

    fn read<'a>(&mut self, client: &Client, text: &'a str) -> Result<Page<'a>, ClientError> {
        let page: Page<'a> =
            serde_json::from_str(text).map_err(|_| ClientError::foreign(client.server()))?;
        self.wanted = self.wanted.saturating_sub(page.items.len() as u64);
        self.after.clone_from(&page.next);
        self.over = self.wanted == 0 || page.next.is_none();
        Ok(page)
    }
}

/// Says what the rows do not: that there are none, or that there are more.
fn remark_on(shown: usize, page: &Page<'_>, list: &List<'_>) {
    let filtered = !list.filters.is_empty();
    let (things, matches) = match shown {
        1 => (list.things.trim_end_matches('s'), "matches"),
        _ => (list.things, "match"),
    };
    let of = page
        .total
        .map_or_else(String::new, |total| format!(" of {total} in all"));
    if page.next.is_some() {
        output::remark(&format!(
            "{shown} {things}{of}; more with --limit COUNT or --all"
        ));
    } else if shown == 0 {
        output::remark(&match filtered {
            true => format!("no {things} match"),
            false => format!("no {things} yet"),
        });
    } else if filtered {
        output::remark(&format!("{shown} {things} {matches}{of}"));
    } else {
        output::remark(&format!("{shown} {things}"));
    }
}
