//! From bytes to entries: which list a payload offers, and where each of its entries lies.

use crate::error::ImportError;
use crate::json::{DEEPEST, Event, Kind, Node, Scanner, Span, text};
use std::borrow::Cow;

/// Most entries a payload may have.
pub const MAX_ENTRIES: u64 = 1_000_000;
/// Longest entry that is read, in bytes: no account comes near it.
pub const MAX_ENTRY: u64 = 1 << 20;

/// Longest member of an inject body, beside its lists, that is kept. In bytes of JSON.
pub const MAX_MEMBER: u64 = 64 * 1024;

/// The form in which a payload offers its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A JSON array.
    List,
    /// `{"accounts": […]}`
    Accounts,
    /// `{"tokens": […]}`
    Tokens,
}

impl Shape {
    /// The name used in answers: `list`, `accounts` or `tokens`.
    pub fn as_str(self) -> &'static str {
        match self {
            Shape::List => "list",
            Shape::Accounts => "accounts",
            Shape::Tokens => "tokens",
        }
    }
}

/// One entry: its place in the list, its place in the bytes, and what it is.
pub(crate) struct Entry<'a> {
    /// Counted from 0.
    pub(crate) index: u64,
    /// Where it lies in the payload.
    pub(crate) span: Span,
    /// Itself, with its members and not always what lies in them, unless [asked for](PayloadReader::show_insides); one
    /// longer than [`MAX_ENTRY`] is not read.
    pub(crate) value: Option<Node<'a>>,
}

/// What the bytes are: a payload itself, or the body of an inject that holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A list or a wrapper object.
    Payload,
    /// An object with `payload`, `accounts` or `tokens` beside other members.
    InjectBody,
}

/// The places where a list of entries can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// The payload is the list.
    Root,
    /// `accounts` of the payload.
    Accounts,
    /// `tokens` of the payload.
    Tokens,
    /// `accounts` of the inject body.
    BodyAccounts,
    /// `tokens` of the inject body.
    BodyTokens,
}

/// One value for each place where a list can stand.
#[derive(Default)]
pub(crate) struct PerList<T> {
    root: T,
    accounts: T,
    tokens: T,
    body_accounts: T,
    body_tokens: T,
}

impl<T: Default> PerList<T> {
    pub(crate) fn of(&mut self, list: List) -> &mut T {
        match list {
            List::Root => &mut self.root,
            List::Accounts => &mut self.accounts,
            List::Tokens => &mut self.tokens,
            List::BodyAccounts => &mut self.body_accounts,
            List::BodyTokens => &mut self.body_tokens,
        }
    }

    pub(crate) fn take(&mut self, list: List) -> T {
        std::mem::take(self.of(list))
    }
}

/// Takes the lists of a payload as they come. A list that begins again replaces what came before it.
pub(crate) trait Takes {
    fn begin(&mut self, list: List);
    fn entry(&mut self, list: List, entry: Entry<'_>);
    /// A member of an inject body that is no list; `None` when it is longer than [`MAX_MEMBER`].
    fn member(&mut self, _name: &str, _raw: Option<&[u8]>) {}
}

/// The list that a payload's rules choose, and those they leave unread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) list: List,
    pub(crate) accounts_ignored: bool,
    pub(crate) tokens_ignored: bool,
}

impl Choice {
    /// Where the list stands in bytes of this form: a JSON pointer.
    pub(crate) fn pointer(&self, form: Form) -> &'static str {
        match (self.list, form) {
            (List::Root, Form::Payload) => "",
            (List::Root, Form::InjectBody) => "/payload",
            (List::Accounts, Form::InjectBody) => "/payload/accounts",
            (List::Tokens, Form::InjectBody) => "/payload/tokens",
            (List::Accounts, Form::Payload) | (List::BodyAccounts, _) => "/accounts",
            (List::Tokens, Form::Payload) | (List::BodyTokens, _) => "/tokens",
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        match self.list {
            List::Root => Shape::List,
            List::Accounts | List::BodyAccounts => Shape::Accounts,
            List::Tokens | List::BodyTokens => Shape::Tokens,
        }
    }
}

/// What stood at a place. A null counts as absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Found {
    #[default]
    Absent,
    List,
    Wrapper,
    Other,
}

impl Found {
    fn opened(kind: Kind) -> Found {
        match kind {
            Kind::Array => Found::List,
            Kind::Object => Found::Wrapper,
            Kind::Null => Found::Absent,
            Kind::Bool | Kind::Number | Kind::String => Found::Other,
        }
    }
}

/// What the value that comes next, or the list being read, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Payload,
    List(List),
    /// A member of an inject body that is no list.
    Member,
    /// A value that nobody reads here.
    Unread,
}

/// Finds the entries of a payload in bytes that come in any pieces.
pub(crate) struct PayloadReader {
    scanner: Scanner,
    form: Form,
    place: Place,
    /// Entries of the list being read so far; `None` outside of a list.
    index: Option<u64>,
    body: Found,
    payload: Found,
    found: PerList<Found>,
    /// The key of the member being read.
    name: String,
    /// The part of a value in progress that earlier pieces held.
    carry: Vec<u8>,
}

impl PayloadReader {
    pub(crate) fn new(form: Form) -> PayloadReader {
        PayloadReader {
            scanner: Scanner::new(),
            form,
            place: if form == Form::Payload {
                Place::Payload
            } else {
                Place::Unread
            },
            index: None,
            body: Found::Absent,
            payload: Found::Absent,
            found: PerList::default(),
            name: String::new(),
            carry: Vec::new(),
        }
    }

    /// From now on entries come with all that lies in them.
    pub(crate) fn show_insides(&mut self) {
        self.scanner.levels = DEEPEST;
    }

    /// Reads the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8], takes: &mut dyn Takes) -> Result<(), ImportError> {
        let mut rest = piece;
        while let Some(event) = self.scanner.next(&mut rest)? {
            let read = piece.len().saturating_sub(rest.len());
            self.meet(event, piece.get(..read).unwrap_or_default(), takes)?;
        }
        self.keep_pending(piece);
        Ok(())
    }

    /// Says that the bytes have ended, and which list is to be read.
    pub(crate) fn finish(&mut self, takes: &mut dyn Takes) -> Result<Choice, ImportError> {
        if let Some(event) = self.scanner.finish()? {
            self.meet(event, &[], takes)?;
        }
        self.choose()
    }

    /// `read` is the piece up to the end of the event.
    fn meet(
        &mut self,
        event: Event<'_>,
        read: &[u8],
        takes: &mut dyn Takes,
    ) -> Result<(), ImportError> {
        match event {
            Event::Open(kind) => self.open(kind, takes),
            Event::Close => self.close(),
            Event::Key(span) => {
                self.name = match span.len {
                    0..=MAX_MEMBER => {
                        // INVARIANT: the scanner has checked that a key is UTF-8.
                        let raw = text_of(&self.carry, span, read);
                        text(std::str::from_utf8(&raw).unwrap_or_default()).into_owned()
                    }
                    _ => String::new(),
                };
                self.turn_to_member();
            }
            Event::Value(kind, span, text) => self.value(kind, span, (read, text), takes)?,
        }
        self.carry.clear();
        Ok(())
    }

    fn open(&mut self, kind: Kind, takes: &mut dyn Takes) {
        let depth = self.scanner.depth();
        match (self.place, kind) {
            (Place::Payload, Kind::Array) => {
                self.payload = Found::List;
                self.begin(List::Root, takes);
            }
            (Place::List(list), Kind::Array) => self.begin(list, takes),
            (Place::Payload, _) => {
                self.payload = Found::Wrapper;
                *self.found.of(List::Accounts) = Found::Absent;
                *self.found.of(List::Tokens) = Found::Absent;
                self.place = Place::Unread;
            }
            // Not the list it should be: let it pass whole and be judged at its end.
            (Place::List(_), _) => self.scanner.watch = depth.saturating_sub(1),
            (Place::Member | Place::Unread, _) if depth == 1 => {
                self.body = Found::opened(kind);
                self.scanner.watch = if kind == Kind::Object { 1 } else { 0 };
            }
            (Place::Member | Place::Unread, _) => {}
        }
    }

    fn begin(&mut self, list: List, takes: &mut dyn Takes) {
        self.place = Place::List(list);
        self.index = Some(0);
        *self.found.of(list) = Found::List;
        takes.begin(list);
    }

    fn close(&mut self) {
        self.place = Place::Unread;
        self.index = None;
        self.scanner.watch = self.scanner.depth().max(1);
    }

    /// A key was read: says what its value is, and whether the scanner shows the inside of it.
    fn turn_to_member(&mut self) {
        let depth = self.scanner.depth();
        let in_body = self.form == Form::InjectBody && depth == 1;
        if in_body {
            self.scanner.spare = usize::from(self.name == "payload");
        }
        self.place = match (in_body, self.name.as_str()) {
            (true, "payload") => Place::Payload,
            (true, "accounts") => Place::List(List::BodyAccounts),
            (true, "tokens") => Place::List(List::BodyTokens),
            (true, _) => Place::Member,
            (false, "accounts") => Place::List(List::Accounts),
            (false, "tokens") => Place::List(List::Tokens),
            (false, _) => Place::Unread,
        };
        let inside = matches!(self.place, Place::Payload | Place::List(_));
        self.scanner.watch = depth.saturating_add(usize::from(inside));
    }

    fn value(
        &mut self,
        kind: Kind,
        span: Span,
        (read, text): (&[u8], Option<&str>),
        takes: &mut dyn Takes,
    ) -> Result<(), ImportError> {
        match (self.place, self.index) {
            (Place::List(list), Some(index)) => {
                if index >= MAX_ENTRIES {
                    return Err(ImportError::TooManyEntries);
                }
                self.index = Some(index.saturating_add(1));
                let entry = |value| Entry { index, span, value };
                if let Some(text) = text {
                    takes.entry(list, entry(Some(self.scanner.reported(text))));
                } else if span.len <= MAX_ENTRY {
                    let raw = text_of(&self.carry, span, read);
                    // INVARIANT: the scanner has checked the text. Anything else reads as a blank.
                    let text = std::str::from_utf8(&raw).unwrap_or_default();
                    takes.entry(list, entry(Some(self.scanner.put_together(text))));
                } else {
                    takes.entry(list, entry(None));
                }
                return Ok(());
            }
            (Place::List(list), None) => *self.found.of(list) = Found::opened(kind),
            (Place::Payload, _) => self.payload = Found::opened(kind),
            (Place::Member, _) if span.len > MAX_MEMBER => takes.member(&self.name, None),
            (Place::Member, _) => {
                let raw = text_of(&self.carry, span, read);
                takes.member(&self.name, Some(&raw));
            }
            (Place::Unread, _) if self.scanner.depth() == 0 => self.body = Found::opened(kind),
            (Place::Unread, _) => {}
        }
        self.place = Place::Unread;
        Ok(())
    }

    /// Carries what the piece holds of a value that goes on in the next one, when somebody will read it.
    fn keep_pending(&mut self, piece: &[u8]) {
        let Some(pending) = self.scanner.pending() else {
            return;
        };
        let entry = self.index.is_some() && pending.len <= MAX_ENTRY;
        let read =
            entry || ((self.place == Place::Member || pending.key) && pending.len <= MAX_MEMBER);
        if !read {
            self.carry.clear();
            return;
        }
        self.carry
            .extend_from_slice(last(piece, pending.len, self.carry.len()));
    }

    fn choose(&mut self) -> Result<Choice, ImportError> {
        let beside = |found: Found| found != Found::Absent;
        let in_body = self.form == Form::InjectBody;
        if in_body && self.body != Found::Wrapper {
            return Err(ImportError::BodyNotAnObject);
        }
        let accounts_beside = beside(*self.found.of(List::BodyAccounts));
        let tokens_beside = beside(*self.found.of(List::BodyTokens));
        match self.payload {
            Found::List => Ok(Choice {
                list: List::Root,
                accounts_ignored: accounts_beside,
                tokens_ignored: tokens_beside,
            }),
            Found::Wrapper => {
                let choice =
                    self.choose_between(List::Accounts, List::Tokens, ImportError::NoList)?;
                Ok(Choice {
                    list: choice.list,
                    accounts_ignored: accounts_beside,
                    tokens_ignored: choice.tokens_ignored || tokens_beside,
                })
            }
            Found::Absent if in_body => self.choose_between(
                List::BodyAccounts,
                List::BodyTokens,
                ImportError::PayloadMissing,
            ),
            Found::Absent | Found::Other => Err(ImportError::NotAWrapper),
        }
    }

    fn choose_between(
        &mut self,
        accounts: List,
        tokens: List,
        none: ImportError,
    ) -> Result<Choice, ImportError> {
        let tokens_found = *self.found.of(tokens);
        let (list, tokens_ignored) = match (*self.found.of(accounts), tokens_found) {
            (Found::List, _) => (accounts, tokens_found != Found::Absent),
            (Found::Absent, Found::List) => (tokens, false),
            (Found::Absent, Found::Absent) => return Err(none),
            (Found::Absent, _) => return Err(ImportError::TokensNotAList),
            _ => return Err(ImportError::AccountsNotAList),
        };
        Ok(Choice {
            list,
            accounts_ignored: false,
            tokens_ignored,
        })
    }
}

/// The text of a value that ends where `read` ends: what was carried, then what this piece holds of it.
fn text_of<'a>(carry: &[u8], span: Span, read: &'a [u8]) -> Cow<'a, [u8]> {
    let here = last(read, span.len, carry.len());
    match carry.is_empty() {
        true => Cow::Borrowed(here),
        false => Cow::Owned([carry, here].concat()),
    }
}

/// The end of `piece` that belongs to a value of `len` bytes of which `carried` were read before.
fn last(piece: &[u8], len: u64, carried: usize) -> &[u8] {
    let here = usize::try_from(len)
        .unwrap_or(usize::MAX)
        .saturating_sub(carried);
    piece
        .get(piece.len().saturating_sub(here)..)
        .unwrap_or_default()
}
