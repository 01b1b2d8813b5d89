//! The README's own examples, run as a newcomer would: in a shell, in their order, against one server and one upstream.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::examples::normal;
use super::exposition::Scrape;
use super::harness::Server;
use super::upstream::Upstream;

#[test]
fn every_curl_example_of_the_readme_works() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))
        .expect("the README");
    let examples = examples(&readme);
    assert!(examples.len() >= 7, "{examples:?}");
    let server = Server::start();
    let upstream = Upstream::json(r#"{"tokens": ["example-token-1", "example-token-2"]}"#);
    let (mut source, mut key, mut account) = (String::new(), String::new(), String::new());
    let (mut plan, mut sources) = (String::new(), Vec::new());
    let said: Vec<String> = examples
        .iter()
        .map(|example| {
            let command = example.replace("localhost:8083", &server.addr.to_string());
            assert_ne!(&command, example, "it asks the server of the README");
            let command = command
                .replace("http://localhost:8084", &upstream.url(""))
                .replace("SOURCE_ID", &source)
                .replace("KEY_ID", &key)
                .replace("PLAN_HASH", &plan)
                .replace("ACCOUNT_ID", &account);
            let command = match command.contains("JOB_ID") {
                true => command.replace("JOB_ID", &server.last_job()),
                false => command,
            };
            let answer = shell(&command.replacen(
                "curl ",
                "curl --fail-with-body --silent --show-error --noproxy '*' ",
                1,
            ));
            let made = |what| answer.lines().next().and_then(|line| created(line, what));
            if let Some(id) = made("source") {
                sources.push(id.clone());
                source = id;
            }
            if let Some((_, hash)) = answer.split_once("\"plan_hash\":\"") {
                plan = hash.split('"').next().unwrap_or_default().to_owned();
            }
            if answer.contains("\"key\":\"sk-") {
                key = made("item").expect("a key has an id");
            }
            if example.contains("/api/accounts?") {
                account = listed(&answer).expect("an account has an id");
            }
            answer
        })
        .collect();
    for part in [
        "\"added\":2",
        "\"removed\":2",
        "\"access_token\":\"example-gpt-token-3\"",
        "\"status\":\"success\"",
        "\"token\":\"exa…n-3\"",
        "{\"item\":{\"id\":",
        "\ntributary_imports_total{kind=\"sync\",outcome=\"success\",strategy=\"merge\"} 1\n",
        "\"kind\":\"inject\"",
        "{\"accounts\":[{\"access_token\":",
        "\"reason\":\"token_type\"",
        "\"removal\":\"disable\"",
        "\"kind\":\"undo\"",
        "\"name\":\"Mirror in Lyon\",\"role\":\"reader\",\"enabled\":false",
    ] {
        assert!(
            said.iter().any(|answer| answer.contains(part)),
            "{part}: {said:?}"
        );
    }
    let said_to = |command: &str| {
        let at = examples.iter().position(|example| example == command);
        &said[at.expect("it is an example")]
    };
    // Durations and hashes differ from run to run: what is told must be the same.
    let unsurprising = documented(&readme, "No surprise");
    assert_eq!(unsurprising.len(), 6);
    for (command, answer) in unsurprising {
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let command = command.split("\ncurl ").last().expect("the last command");
        let command = match command.starts_with("curl ") {
            true => command.to_owned(),
            false => format!("curl {command}"),
        };
        let said = read(said_to(&command));
        assert_eq!(names(&said), names(&read(&answer)), "{command}");
    }
    let documented = documented(&readme, "Changing the pool by hand");
    assert_eq!(documented.len(), 6);
    for (command, answer) in documented {
        let said = said_to(&command);
        // The README's sources have the id that all documents show.
        let documented_id = |said: String, id: &String| said.replace(id, "a1b2c3d4e5f6");
        let said = sources.iter().fold(said.clone(), documented_id);
        assert_eq!(normal(&said), normal(&answer), "{command}");
    }
}

/// The commands of a chapter, each with the answer that stands below it, where one does.
fn documented(readme: &str, chapter: &str) -> Vec<(String, String)> {
    let chapter = readme
        .split(&format!("\n## {chapter}\n"))
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a chapter");
    let pairs = chapter.split("```sh\n").skip(1).filter_map(|rest| {
        let (command, rest) = rest.split_once("\n```").expect("a block ends");
        let answer = rest.split("```json\n").nth(1)?;
        let answer = answer.split("\n```").next().expect("a block ends");
        Some((command.to_owned(), answer.to_owned()))
    });
    pairs.collect()
}

/// The names of all members at all depths, each as a path.
fn names(value: &Value) -> BTreeSet<String> {
    let below = |name: &str, value: &Value| {
        let deeper = names(value).into_iter();
        let deeper = deeper.map(|rest| format!("{name}.{rest}"));
        deeper.chain([name.to_owned()]).collect::<Vec<_>>()
    };
    match value {
        Value::Object(members) => {
            let members = members.iter();
            members
                .flat_map(|(name, value)| below(name, value))
                .collect()
        }
        Value::Array(elements) => elements
            .iter()
            .flat_map(|value| below("*", value))
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// What a command says: every line of it JSON, but for the metrics.
fn shell(command: &str) -> String {
    let run = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(
        run.status.success(),
        "{command}\n{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    if command.contains("/metrics") {
        Scrape::read(&said);
        return said;
    }
    for line in said.lines() {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "{command}\n{line}"
        );
    }
    said
}

/// The id of what an answer tells was created.
fn created(answer: &str, what: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer[what]["id"].as_str().map(str::to_owned)
}

/// The id of the first account that an answer lists.
fn listed(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer["items"][0]["id"].as_str().map(str::to_owned)
}

/// The `curl` commands in the README's shell blocks, each with the lines it continues on.
fn examples(readme: &str) -> Vec<String> {
    let blocks = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next());
    blocks
        .flat_map(commands)
        .filter(|command| command.starts_with("curl "))
        .collect()
}

/// The commands of a block: a line that ends with a backslash goes on.
fn commands(block: &str) -> Vec<String> {
    let mut commands: Vec<String> = vec![String::new()];
    for line in block.lines() {
        let command = commands.last_mut().expect("never empty");
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            commands.push(String::new());
        }
    }
    commands
        .into_iter()
        .map(|command| command.trim().to_owned())
        .filter(|command| !command.is_empty())
        .collect()
}
