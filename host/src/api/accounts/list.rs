//! The accounts of the pool as lists show them: page by page, or one.

use hyper::StatusCode;
use tributary_core::Fingerprint;

use crate::api::cursor::{Cursor, List};
use crate::api::query::{FILTERS, Query};
use crate::api::{Answer, Request, Response, whole, with_type};
use crate::app::App;
use crate::error::ApiError;
use crate::store::filter::Filter;
use crate::store::listing;

/// `GET /api/accounts`: a page of the accounts that are meant, and where the next one begins.
pub async fn list(request: Request) -> Answer {
    let known = [&FILTERS[..], &["limit", "after", "count"]].concat();
    let query = Query::parse(request.uri(), &known)?;
    let (filter, limit, counted) = (query.filter()?, query.limit()?, query.flag("count")?);
    let after = query.after(List::Accounts, &request.app.salt)?;
    let mut page = page(&request.app, &filter, after, limit).await?;
    if counted {
        page.total = count(&request.app, filter).await?;
    }
    Ok(json_text(page.text(&request.app)))
}

/// `GET /api/accounts/{id}`: one account.
pub async fn show(request: Request) -> Answer {
    Query::parse(request.uri(), &[])?;
    let fingerprint = Fingerprint::from_hex(&request.id).ok_or_else(not_found)?;
    let read = request
        .app
        .store
        .read(move |db| listing::item(db, &fingerprint));
    let item = read.await?.ok_or_else(not_found)?;
    Ok(json_text(format!("{{\"item\":{item}}}")))
}

/// 404: no account has this id.
pub(super) fn not_found() -> ApiError {
    ApiError::not_found("account not found")
}

/// 200 with JSON that is text already.
pub(super) fn json_text(text: String) -> Response {
    with_type(StatusCode::OK, "application/json", whole(text))
}

/// A page of a list.
struct Page {
    items: Vec<(i64, String)>,
    /// The last row of the page, when something follows it.
    last: Option<i64>,
    total: i64,
}

/// Reads until the page is full or the pool ends. Each read is short, so that others come between.
async fn page(
    app: &App,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Page, ApiError> {
    let mut page = Page {
        items: Vec::new(),
        last: None,
        total: 0,
    };
    let mut next = Some(after.map_or(0, |Cursor(row)| row));
    // One more than asked for tells whether something follows.
    while let Some(after) = next
        && page.items.len() <= limit
    {
        let (filter, wanted) = (filter.clone(), limit + 1 - page.items.len());
        let read = app
            .store
            .read(move |db| listing::part(db, &filter, after, wanted));
        let part = read.await?;
        page.items.extend(part.items);
        (next, page.total) = (part.next, part.total);
    }
    if page.items.len() > limit {
        page.items.truncate(limit);
        page.last = page.items.last().map(|(row, _)| *row);
    }
    Ok(page)
}

/// How many accounts are meant, counted in steps where the pool does not keep that number.
pub(super) async fn count(app: &App, filter: Filter) -> Result<i64, ApiError> {
    let known = filter.clone();
    let known = app.store.read(move |db| listing::known_count(db, &known));
    if let Some(count) = known.await? {
        return Ok(count);
    }
    let (mut count, mut next) = (0, Some(0));
    while let Some(after) = next {
        let filter = filter.clone();
        let read = app.store.read(move |db| listing::count(db, &filter, after));
        let (more, on) = read.await?;
        (count, next) = (count + more, on);
    }
    Ok(count)
}

impl Page {
    /// `{"items": […], "next": …, "total": …}`
    fn text(&self, app: &App) -> String {
        let room: usize = self.items.iter().map(|(_, item)| item.len() + 1).sum();
        let mut text = String::with_capacity(room + 96);
        text.push_str("{\"items\":[");
        for (at, (_, item)) in self.items.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(item);
        }
        let next = self.last.map_or("null".to_owned(), |row| {
            format!("\"{}\"", Cursor(row).write(List::Accounts, &app.salt))
        });
        text.push_str(&format!("],\"next\":{next},\"total\":{}}}", self.total));
        text
    }
}
