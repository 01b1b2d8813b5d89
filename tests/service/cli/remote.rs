//! Which server is asked, with what key, and what is said when it does not answer.

use std::net::TcpListener;

use super::asked::{Said, ask, command, said};
use crate::service::harness::Server;
use crate::service::upstream::{Reply, Upstream};

/// Asks for the sources of whatever is at `url`.
fn at(server: &Server, url: &str) -> Said {
    said(
        &mut command(server, &["sources", "list", "--server", url]),
        "",
    )
}

#[test]
fn a_server_that_is_not_there_is_said_with_what_to_do() {
    let server = Server::start();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    assert_eq!(
        at(&server, &url).refused(1),
        format!(
            "cannot reach {url}: connection refused; is the server running? start it with `tributary serve`, or name another with --server"
        )
    );
    let nowhere = at(&server, "http://nothing.invalid");
    assert_eq!(
        nowhere.refused(1),
        "cannot reach http://nothing.invalid: no such host; check the address in --server or TRIBUTARY_URL"
    );
    for url in [
        "localhost:8083",
        "ftp://a.test",
        "http://user:pass@a.test",
        "",
    ] {
        assert!(at(&server, url).refused(2).contains("--server"));
    }
    // Options of a server before the command are no options of `serve`.
    let before = said(&mut command(&server, &["--server", &url, "jobs"]), "");
    assert!(
        before.refused(2).contains("tributary [COMMAND] [OPTIONS]"),
        "{before:?}"
    );
}

#[test]
fn what_is_no_tributary_server_is_said_to_be_none() {
    let server = Server::start();
    for reply in [
        Reply::status(200, "<html>hello</html>"),
        Reply::status(404, "nothing here"),
        Reply::status(502, "{\"message\": \"bad gateway\"}"),
        Reply::redirect(302, "https://elsewhere.test/"),
    ] {
        let other = Upstream::start(move |_| reply.clone());
        let url = other.url("");
        let url = url.trim_end_matches('/');
        assert_eq!(
            at(&server, url).refused(1),
            format!(
                "what answers at {url} is not a Tributary server; check the address in --server or TRIBUTARY_URL"
            )
        );
    }
    let garbage = Upstream::start(|_| Reply::Raw(b"SSH-2.0-x\r\n".to_vec()));
    let said = at(&server, &garbage.url(""));
    assert!(
        said.refused(1)
            .contains("does not speak HTTP; does its address begin"),
        "{said:?}"
    );
}

#[test]
fn a_redirect_is_not_followed_and_no_proxy_is_asked() {
    let server = Server::start();
    let other = Upstream::json(r#"{"sources": []}"#);
    let to = other.url("/");
    let redirecting = Upstream::start(move |_| Reply::redirect(307, &to));
    at(&server, &redirecting.url("")).refused(1);
    let mut with_proxy = command(&server, &["sources", "list"]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        with_proxy.env(name, other.url(""));
    }
    said(&mut with_proxy, "").fine();
    assert!(other.asked().is_empty(), "the key went elsewhere");
}

#[test]
fn the_key_comes_from_a_file_or_a_variable_and_is_never_shown() {
    let server = Server::start();
    let key = |role: &str| server.home().key(role, role);
    let file = server.home().file("key");
    let with = |key: Option<&str>, options: &[&str]| {
        let mut list = command(&server, &[&["sources", "list"], options].concat());
        match key {
            Some(key) => list.env("TRIBUTARY_KEY", key),
            None => list.env_remove("TRIBUTARY_KEY"),
        };
        said(&mut list, "")
    };
    for none in [None, Some("")] {
        let said = with(none, &[]);
        let said = said.refused(1);
        assert!(
            said.contains("set TRIBUTARY_KEY or name a file with --key-file"),
            "{said}"
        );
        assert!(
            said.contains("`admin-secret` of the server's data folder"),
            "{said}"
        );
    }
    std::fs::write(&file, key("admin") + "\n").expect("a file");
    with(Some("wrong"), &["--key-file", "key"]).fine();
    let user = key("user");
    let forbidden = with(Some(&user), &[]);
    assert!(
        forbidden
            .refused(1)
            .contains("`tributary key create --role admin"),
        "{forbidden:?}"
    );
    let wrong = with(Some("canary-key"), &[]);
    assert!(
        wrong
            .refused(1)
            .contains("does not know the key of TRIBUTARY_KEY"),
        "{wrong:?}"
    );
    assert!(!wrong.err.contains("canary") && !forbidden.err.contains(&user));
    for key in ["a\nb", "\u{e9}", " "] {
        std::fs::write(&file, key).expect("a file");
        for said in [with(None, &["--key-file", "key"]), with(Some(key), &[])] {
            assert!(said.refused(1).contains("holds no key"), "{said:?}");
        }
    }
    // A server takes words for its admin secret, too.
    let said = with(Some("correct horse"), &[]);
    assert!(
        said.refused(1).contains("does not know the key"),
        "{said:?}"
    );
    with(None, &["--key-file", "nothing"]).refused(1);
    with(None, &["--key", "admin"]).refused(2);
    let help = ask(&server, &["sources", "list", "--help"]);
    for said in [
        "TRIBUTARY_URL",
        "http://127.0.0.1:8083",
        "TRIBUTARY_KEY",
        "never from the command line",
    ] {
        assert!(help.fine().contains(said), "{said}: {help:?}");
    }
}

#[test]
fn tls_is_checked_against_what_is_trusted() {
    let server = Server::start();
    let secure = Upstream::start_tls(|_| Reply::json(r#"{"sources": []}"#));
    let url = secure.url("");
    let distrusted = at(&server, &url);
    let why = distrusted.refused(1);
    assert!(
        why.contains("its certificate") && why.contains("--ca"),
        "{why}"
    );
    assert!(secure.asked().is_empty());
    std::fs::write(server.home().file("ca.pem"), &secure.certificate).expect("a file");
    let args = ["sources", "list", "--server", &url, "--ca", "ca.pem"];
    assert_eq!(ask(&server, &args).fine(), "{\"sources\": []}\n");
    assert_eq!(
        secure.asked()[0].header("authorization"),
        Some("Bearer admin")
    );
    std::fs::write(server.home().file("ca.pem"), "nothing").expect("a file");
    assert_eq!(
        ask(&server, &args).refused(1),
        "`ca.pem` holds no certificates in PEM form"
    );
    let plain = url.replace("https://", "http://");
    at(&server, &plain).refused(1);
    let no_tls = format!("https://{}", server.addr);
    assert!(
        at(&server, &no_tls)
            .refused(1)
            .contains("does not speak TLS")
    );
}

#[test]
fn a_server_below_a_path_is_asked_there() {
    let server = Server::start();
    let proxy = Upstream::start(|asked| {
        let body = format!(
            "{{\"items\":[],\"next\":null,\"total\":0,\"path\":\"{}\"}}",
            asked.path
        );
        Reply::json(&body)
    });
    let url = proxy.url("/pool/");
    let list = [
        "accounts", "list", "--server", &url, "-q", "a b", "--limit", "7",
    ];
    assert_eq!(
        ask(&server, &list).json()["path"],
        "/pool/api/accounts?q=a%20b&limit=7"
    );
}
