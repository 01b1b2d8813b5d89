//! Where the server goes for sources, and where not.

use std::net::TcpListener;

use super::harness::{Home, SOURCES, Server};
use super::sync::sync;
use super::upstream::Upstream;

/// Syncs a source at `url` and tells the status, with the cause of the job where it failed.
fn outcome(server: &Server, url: &str) -> (u16, Option<String>) {
    let id = server.source(&serde_json::json!({ "url": url }).to_string());
    let status = sync(server, &id).status;
    let job = server.job(&server.last_job());
    (status, job["cause"].as_str().map(str::to_owned))
}

#[test]
fn private_sources_can_be_refused() {
    let upstream = Upstream::json(r#"["a-1"]"#);
    let server = Server::start_with(&["--deny-private-upstreams"]);
    let port = upstream.port();
    for host in ["127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]"] {
        let (status, cause) = outcome(&server, &format!("http://{host}:{port}/"));
        assert_eq!((status, cause.as_deref()), (502, Some("address")), "{host}");
    }
    assert!(upstream.asked().is_empty() && server.pool().is_empty());
}

#[test]
fn sources_can_be_narrowed_to_a_list_of_hosts() {
    let upstream = Upstream::json(r#"["a-1"]"#);
    let options = ["--allow-upstream", "pool.example.test", "--allow-upstream"];
    let server = Server::start_with(&[&options[..], &["127.0.0.1"]].concat());
    assert_eq!(outcome(&server, &upstream.url("/")).0, 200);
    let by_name = format!("http://localhost:{}/", upstream.port());
    let (status, cause) = outcome(&server, &by_name);
    assert_eq!((status, cause.as_deref()), (502, Some("address")));
    assert_eq!(upstream.asked().len(), 1);
    assert_eq!(server.get(SOURCES).status, 200);
}

#[test]
fn no_proxy_of_the_environment_is_obeyed() {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", proxy.local_addr().expect("an address"));
    let home = Home::new();
    let mut command = home.serve();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command
            .env(name, &address)
            .env(name.to_lowercase(), &address);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let server = Server::spawn(home, command);
    let upstream = Upstream::json(r#"["a-1"]"#);
    assert_eq!(outcome(&server, &upstream.url("/")).0, 200);
    assert_eq!(upstream.asked().len(), 1);
    proxy.set_nonblocking(true).expect("a socket");
    assert!(proxy.accept().is_err(), "nobody asked the proxy");
}
