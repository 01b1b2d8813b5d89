//! What the server is told at its start, by concern. Each field is an option of `tributary serve`, with a default,
//! a unit and an environment variable.

mod units;

use std::convert::Infallible;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use tributary_core::Secret;
use zeroize::Zeroizing;

pub use units::{
    read_address, read_host, read_origin, read_size, read_switch, read_time, write_size,
};

/// Everything `tributary serve` can be told.
#[derive(Args, Clone)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "TRIBUTARY_LISTEN",
        default_value = "127.0.0.1:8083",
        value_parser = read_address
    )]
    pub listen: String,
    /// Further address and port, where /metrics is answered without a key and nothing else; by default none, port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "TRIBUTARY_METRICS_LISTEN",
        value_parser = read_address
    )]
    pub metrics_listen: Option<String>,
    /// Most connections at a time, as a count; a further one takes the place of the one that has waited longest without a key
    #[arg(
        long,
        value_name = "COUNT",
        env = "TRIBUTARY_MAX_CONNECTIONS",
        default_value = "4096"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// With which certificate it is https.
    #[command(flatten)]
    pub tls: TlsFiles,
    /// Whose pages may ask.
    #[command(flatten)]
    pub browsers: Browsers,
    /// Where the pool lies.
    #[command(flatten)]
    pub data: Data,
    /// What seals the pool's secrets.
    #[command(flatten)]
    pub master_key: MasterKeyOptions,
    /// The administrator's secret.
    #[command(flatten)]
    pub admin: Admin,
    /// How large a body may be.
    #[command(flatten)]
    pub bodies: Bodies,
    /// How long a client may take.
    #[command(flatten)]
    pub patience: Patience,
    /// How sources are asked.
    #[command(flatten)]
    pub upstream: Upstream,
    /// What a replace may take from a source.
    #[command(flatten)]
    pub guard: GuardOptions,
    /// What is kept of jobs.
    #[command(flatten)]
    pub history: History,
    /// What is logged.
    #[command(flatten)]
    pub log: Log,
}

/// With which certificate the API is served over https; both files, or none for http.
#[derive(Args, Clone)]
pub struct TlsFiles {
    /// File of the certificate (PEM), those that lead to its authority after it, with which to serve https
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// File of the certificate's private key (PEM)
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
}

/// Whose pages may ask, beside the server's own.
#[derive(Args, Clone)]
pub struct Browsers {
    /// Origin whose pages may read answers, such as `https://admin.example.test`; repeatable, in the variable with commas; by default none
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "TRIBUTARY_CORS_ORIGIN",
        value_delimiter = ',',
        value_parser = read_origin
    )]
    pub cors_origin: Vec<String>,
}

/// Where the pool lies.
#[derive(Args, Clone)]
pub struct Data {
    /// Folder of the pool, which `serve` makes: by default `tributary` in XDG_DATA_HOME or in ~/.local/share
    #[arg(long = "data", value_name = "DIR", env = "TRIBUTARY_DATA", default_value_os_t = default_data())]
    pub dir: PathBuf,
}

/// What seals the pool's secrets. The first of file and variable counts; without either, a key is made in `master-key` of
/// the data folder.
#[derive(Args, Clone, Default)]
pub struct MasterKeyOptions {
    /// File with the master key, 64 hex digits; by default `master-key` in the data folder, made at the first start
    #[arg(
        long = "master-key-file",
        value_name = "FILE",
        env = "TRIBUTARY_MASTER_KEY_FILE"
    )]
    pub key_file: Option<PathBuf>,
    /// Only from the environment: other users of the machine see a command line.
    #[arg(skip = key_of_the_environment())]
    pub key: Option<Zeroizing<String>>,
}

impl MasterKeyOptions {
    /// Whether a key is named, rather than looked for in the data folder.
    pub fn is_named(&self) -> bool {
        self.key_file.is_some() || self.key.is_some()
    }
}

/// The master key that TRIBUTARY_MASTER_KEY holds.
fn key_of_the_environment() -> Option<Zeroizing<String>> {
    let key = env::var_os("TRIBUTARY_MASTER_KEY")?;
    // What is no text is no key either, and is refused as such.
    let key = key.into_string().unwrap_or_else(|_| "?".to_owned());
    Some(Zeroizing::new(key)).filter(|key| !key.trim().is_empty())
}

/// The file in the data folder that keeps the administrator's secret when nothing else names one.
pub const ADMIN_SECRET: &str = "admin-secret";

/// The administrator's secret. The first of option, variable and file counts; without any, one is made in
/// `admin-secret` of the data folder.
#[derive(Args, Clone)]
pub struct Admin {
    /// The administrator's secret; on a shared machine the variable or the file hides it better
    #[arg(
        long = "admin-secret",
        value_name = "SECRET",
        env = "TRIBUTARY_ADMIN_SECRET",
        hide_env_values = true,
        value_parser = |text: &str| Ok::<_, Infallible>(Secret::new(text.to_owned()))
    )]
    pub secret: Option<Secret>,
    /// File that holds the administrator's secret; by default `admin-secret` in the data folder, made when missing
    #[arg(
        long = "admin-secret-file",
        value_name = "FILE",
        env = "TRIBUTARY_ADMIN_SECRET_FILE"
    )]
    pub file: Option<PathBuf>,
}

/// How large a body may be.
#[derive(Args, Clone)]
pub struct Bodies {
    /// Largest body of a request, in B, KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", env = "TRIBUTARY_MAX_BODY", default_value = "256MiB", value_parser = read_size)]
    pub max_body: u64,
    /// Largest answer of a source after decoding, in B, KiB, MiB or GiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "TRIBUTARY_MAX_UPSTREAM_BODY",
        default_value = "256MiB"
    )]
    #[arg(value_parser = read_size)]
    pub max_upstream_body: u64,
    /// Size above which a body waits in a file of the data folder and not in memory, in B, KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", env = "TRIBUTARY_SPOOL_ABOVE", default_value = "32MiB", value_parser = read_size)]
    pub spool_above: u64,
}

/// How long a client may take.
#[derive(Args, Clone)]
pub struct Patience {
    /// Time for the headers of a request, and for a connection without one, in ms, s, m or h
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_HEADER_TIMEOUT", default_value = "10s", value_parser = read_time)]
    pub header_timeout: Duration,
    /// Time that a body may stand still, sent or received, in ms, s, m or h
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_BODY_TIMEOUT", default_value = "30s", value_parser = read_time)]
    pub body_timeout: Duration,
    /// Time for open requests to end after a signal to stop, in ms, s, m or h
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_DRAIN_TIMEOUT", default_value = "10s", value_parser = read_time)]
    pub drain_timeout: Duration,
}

/// How sources are asked.
#[derive(Args, Clone)]
pub struct Upstream {
    /// Most redirects to follow from a source, as a count
    #[arg(
        long,
        value_name = "COUNT",
        env = "TRIBUTARY_MAX_REDIRECTS",
        default_value = "5"
    )]
    pub max_redirects: u32,
    /// Time to connect to a source, in ms, s, m or h
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_CONNECT_TIMEOUT", default_value = "10s", value_parser = read_time)]
    pub connect_timeout: Duration,
    /// Time for a whole fetch, redirects and body included, in ms, s, m or h
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_UPSTREAM_TIMEOUT", default_value = "30s", value_parser = read_time)]
    pub upstream_timeout: Duration,
    /// File of certificates (PEM) trusted beside the system's
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_UPSTREAM_CA")]
    pub upstream_ca: Option<PathBuf>,
    /// Ask no source at a loopback or private address
    #[arg(long, env = "TRIBUTARY_DENY_PRIVATE_UPSTREAMS", value_parser = read_switch, action = ArgAction::SetTrue)]
    pub deny_private_upstreams: bool,
    /// Name or address that sources may be asked at, redirects included; repeatable, in the variable with commas; by default any
    #[arg(
        long,
        value_name = "HOST",
        env = "TRIBUTARY_ALLOW_UPSTREAM",
        value_delimiter = ',',
        value_parser = read_host
    )]
    pub allow_upstream: Vec<String>,
}

/// What a replace may take from a source: a sync that would lose more on both counts is blocked. A source's own policy
/// counts before these.
#[derive(Args, Clone)]
pub struct GuardOptions {
    /// Share of the accounts that a source owned within a day, in percent, of which a sync with replace may lose no more
    #[arg(
        long,
        value_name = "PERCENT",
        env = "TRIBUTARY_GUARD_PERCENT",
        default_value = "30"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    pub guard_percent: u64,
    /// Accounts below which a loss blocks nothing, as a count
    #[arg(
        long,
        value_name = "COUNT",
        env = "TRIBUTARY_GUARD_FLOOR",
        default_value = "5"
    )]
    pub guard_floor: u64,
}

/// What is kept of jobs, and whether the server syncs by itself.
#[derive(Args, Clone)]
pub struct History {
    /// Jobs that are kept, as a count; the latest sync of a source stays in any case
    #[arg(
        long,
        value_name = "COUNT",
        env = "TRIBUTARY_HISTORY_KEEP",
        default_value = "100000"
    )]
    pub history_keep: u32,
    /// Time that jobs are kept, in s, m, h or d
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_HISTORY_FOR", default_value = "90d", value_parser = read_time)]
    pub history_for: Duration,
    /// Latest jobs of each source that can be undone, as a count
    #[arg(
        long,
        value_name = "COUNT",
        env = "TRIBUTARY_UNDO_KEEP",
        default_value = "20"
    )]
    pub undo_keep: u32,
    /// Time that jobs can be undone, in s, m, h or d
    #[arg(long, value_name = "TIME", env = "TRIBUTARY_UNDO_FOR", default_value = "30d", value_parser = read_time)]
    pub undo_for: Duration,
    /// Sync each enabled source at its interval
    #[arg(long, env = "TRIBUTARY_AUTO_SYNC", value_parser = read_switch, action = ArgAction::SetTrue)]
    pub auto_sync: bool,
}

/// What is logged on stderr.
#[derive(Args, Clone)]
pub struct Log {
    /// How a line of the log is written
    #[arg(
        long,
        value_name = "FORMAT",
        env = "TRIBUTARY_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Least severe lines to log
    #[arg(
        long,
        value_name = "LEVEL",
        env = "TRIBUTARY_LOG_LEVEL",
        default_value = "info"
    )]
    pub log_level: LogLevel,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// The severity of a line, most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[allow(
    missing_docs,
    reason = "the names are the documentation, and would otherwise crowd the help"
)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The pool's folder when nothing names one: the user's, so that it does not depend on where a command is typed.
fn default_data() -> PathBuf {
    let named = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    named("XDG_DATA_HOME")
        .or_else(|| named("HOME").map(|home| home.join(".local").join("share")))
        .map_or_else(
            || PathBuf::from("tributary-data"),
            |base| base.join("tributary"),
        )
}
