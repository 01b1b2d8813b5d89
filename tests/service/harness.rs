//! Starts the real program in a directory of its own and asks it over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tributary_core::Salt;

use super::client::{Answer, agent, ask, ask_with, read_all};
use super::program::program;

/// The path all seven endpoints share.
pub(crate) const SOURCES: &str = "/api/remote-account/sources";
/// Where payloads are given directly.
pub(crate) const INJECT: &str = "/api/remote-account/inject";
/// Where the history is.
pub(crate) const JOBS: &str = "/api/remote-account/jobs";
/// Where accounts are listed.
pub(crate) const ACCOUNTS: &str = "/api/accounts";
/// Where the pool is read back.
pub(crate) const EXPORT: &str = "/api/accounts/export";

/// A running server. Dropping it kills it and removes its data.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    agent: ureq::Agent,
    home: Home,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

/// A directory that outlives the servers started in it: `data` is the program's, `log` keeps what it wrote.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Home {
        Home(TempDir::with_prefix("tributary-").expect("a temporary directory"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A connection of its own to the pool's database.
    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.data().join("tributary.db")).expect("a database")
    }

    /// What holds the data folder, and everything else of a test.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Everything its servers have logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read(self.file("log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The ordinary command line of a server in this directory.
    pub(crate) fn serve(&self) -> Command {
        self.serve_by(program())
    }

    /// The same of another build of the program.
    pub(crate) fn serve_by(&self, mut command: Command) -> Command {
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--admin-secret",
                "admin",
                "--data",
            ])
            .arg(self.data());
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.file("log"))
            .expect("a log file");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        command
    }

    /// Runs `tributary ARGS --data DIR` to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        program()
            .args(args)
            .arg("--data")
            .arg(self.data())
            .stdin(Stdio::null())
            .output()
            .expect("the program runs")
    }

    /// Makes a key with the command line and returns it.
    pub(crate) fn key(&self, role: &str, name: &str) -> String {
        let made = self.run(&["key", "create", "--role", role, "--name", name]);
        assert!(
            made.status.success(),
            "key create: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        String::from_utf8(made.stdout)
            .expect("a key is text")
            .trim_end()
            .to_owned()
    }
}

impl Server {
    /// An ordinary server on an empty directory.
    pub(crate) fn start() -> Server {
        Server::start_with(&[])
    }

    /// The same with more options.
    pub(crate) fn start_with(options: &[&str]) -> Server {
        Server::start_in(Home::new(), options)
    }

    /// A server on what an earlier one left.
    pub(crate) fn start_in(home: Home, options: &[&str]) -> Server {
        let mut command = home.serve();
        command.args(options);
        Server::spawn(home, command)
    }

    /// Starts `command` and waits until it says where it listens.
    pub(crate) fn spawn(home: Home, mut command: Command) -> Server {
        let mut child = command.spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let Some(addr) = listening(&mut stdout) else {
            let status = child.wait().expect("it ended");
            panic!(
                "the server did not say where it listens ({status}): {}",
                home.log()
            );
        };
        Server {
            child,
            stdout,
            agent: agent(),
            home,
            addr,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The most memory it has held so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.told("status", "VmHWM:") * 1024
    }

    /// The memory it holds now that no file backs, in bytes.
    pub(crate) fn anonymous_memory(&self) -> u64 {
        self.told("status", "RssAnon:") * 1024
    }

    /// How many bytes it has read from files so far.
    #[cfg(target_os = "linux")]
    pub(crate) fn bytes_read(&self) -> u64 {
        self.told("io", "rchar:")
    }

    /// How long it has kept processors busy so far, in hundredths of a second.
    #[cfg(target_os = "linux")]
    pub(crate) fn busy_for(&self) -> u64 {
        let stat = self.file_of_the_system("stat");
        let (_, after_name) = stat.rsplit_once(')').expect("its name stands in brackets");
        let [user, system] = [12, 13].map(|at| after_name.split(' ').nth(at));
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        number(user).expect("a number") + number(system).expect("a number")
    }

    /// What the system tells of it in a file, in the file's unit.
    fn told(&self, file: &str, kind: &str) -> u64 {
        let file = self.file_of_the_system(file);
        let mut lines = file.lines();
        let line = lines.find_map(|line| line.strip_prefix(kind));
        line.expect("the system tells")
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number")
    }

    fn file_of_the_system(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).expect("it runs")
    }

    /// As the administrator.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Some("Bearer admin"), "")
    }

    /// As the administrator.
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some("Bearer admin"), body)
    }

    /// As the administrator.
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, Some("Bearer admin"), "")
    }

    /// The same with a body.
    pub(crate) fn delete_with(&self, path: &str, body: &str) -> Answer {
        self.send("DELETE", path, Some("Bearer admin"), body)
    }

    /// As the administrator, who approves the plan with this hash.
    pub(crate) fn post_expecting(&self, path: &str, body: &str, hash: &str) -> Answer {
        let headers = [
            ("Authorization", "Bearer admin"),
            ("Tributary-Expect-Plan", hash),
        ];
        ask_with(&self.agent, self.addr, "POST", path, &headers, body)
            .unwrap_or_else(|e| panic!("POST {path}: {e}\n{}", self.home.log()))
    }

    /// The job with this id, as the history tells it.
    pub(crate) fn job(&self, id: &str) -> Value {
        let answer = self.get(&format!("{JOBS}/{id}"));
        assert_eq!(answer.status, 200, "{id}: {answer:?}");
        answer.json()["job"].clone()
    }

    /// The id of the newest job.
    pub(crate) fn last_job(&self) -> String {
        let jobs = self.get(&format!("{JOBS}?limit=1")).json();
        let id = jobs["items"][0]["job_id"].as_str();
        id.expect("there is a job").to_owned()
    }

    /// The whole pool in order, every time and owner included: equal text is an equal pool.
    pub(crate) fn export(&self) -> String {
        let answer = self.post(EXPORT, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// As whoever `authorization` names.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: &str,
    ) -> Answer {
        self.try_send(method, path, authorization, body)
            .unwrap_or_else(|e| panic!("{method} {path}: {e}\n{}", self.home.log()))
    }

    /// The same where no answer at all is one of the outcomes.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        ask(&self.agent, self.addr, method, path, authorization, body)
    }

    /// Creates a source from `body` and returns its id.
    pub(crate) fn source(&self, body: &str) -> String {
        let made = self.post(SOURCES, body);
        made.json()["source"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no source: {made:?}"))
            .to_owned()
    }

    /// The pool, one account a line, ordered by token.
    pub(crate) fn pool(&self) -> Vec<Value> {
        let answer = self.post(EXPORT, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut pool: Vec<Value> = answer
            .body
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect();
        pool.sort_by_key(|account| account["access_token"].as_str().map(str::to_owned));
        pool
    }

    /// The tokens of the pool in their order.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.pool()
            .iter()
            .map(|account| {
                account["access_token"]
                    .as_str()
                    .expect("a token")
                    .to_owned()
            })
            .collect()
    }

    /// How often the pool has changed.
    pub(crate) fn revision(&self) -> i64 {
        self.lookup()["pool_revision"].as_i64().expect("a number")
    }

    /// The id that an account with this token has.
    pub(crate) fn id_of(&self, token: &str) -> String {
        let lookup = self.lookup();
        let salt = lookup["salt"].as_str().and_then(Salt::from_hex);
        salt.expect("a salt").of_token(token).to_string()
    }

    fn lookup(&self) -> Value {
        self.post("/api/remote-account/pool/lookup", "{}").json()
    }

    /// Writes `request` as it is and returns all the server sends until it closes or stays silent for `patience`.
    pub(crate) fn wire(&self, request: &[u8], patience: Duration) -> String {
        let mut stream = self.connect();
        // A server may answer and close before it has read everything: the answer counts, not the write.
        let _ = stream.write_all(request);
        read_all(&mut stream, patience)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).expect("it listens")
    }

    /// Asks it to end, waits, and hands the directory on.
    pub(crate) fn stop(mut self) -> Home {
        self.signal(Signal::TERM);
        let status = self.wait(Duration::from_secs(15));
        assert!(
            status.success(),
            "it ended with {status}: {}",
            self.home.log()
        );
        self.into_home()
    }

    /// Ends it, where it still runs, as a power cut would, and hands the directory on.
    pub(crate) fn crash(mut self) -> Home {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ended");
        self.into_home()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, patience: Duration) -> ExitStatus {
        wait(&mut self.child, patience)
            .unwrap_or_else(|| panic!("it still runs: {}", self.home.log()))
    }

    /// The next line that it writes on stdout after the address.
    pub(crate) fn line_of_stdout(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout is text");
        line
    }

    /// What it has written on stdout after the address, read to the end.
    pub(crate) fn rest_of_stdout(&mut self) -> String {
        let mut rest = String::new();
        self.stdout
            .read_to_string(&mut rest)
            .expect("stdout is text");
        rest
    }

    fn into_home(mut self) -> Home {
        std::mem::replace(&mut self.home, Home::new())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of `child`; `None` when it still runs after `patience`.
pub(crate) fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads until the line that says where the server listens.
fn listening(stdout: &mut impl BufRead) -> Option<SocketAddr> {
    let mut line = String::new();
    while stdout.read_line(&mut line).ok()? > 0 {
        let address = line.trim_end().strip_prefix("listening on ");
        if let Some((_, addr)) = address.and_then(|address| address.split_once("://")) {
            return addr.parse().ok();
        }
        line.clear();
    }
    None
}
