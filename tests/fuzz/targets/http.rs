#![no_main]

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use clap::Parser;
use tokio::net::TcpListener;
use tributary_host::config::Config;
use tributary_host::server::Listeners;
use tributary_host::server::threads::Threads;
use tributary_host::{App, serve};

const SECRET: &str = "example-admin-secret";

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    config: Config,
}

/// The server, in this process, so that the fuzzer sees which of its code the bytes reach.
fn server() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let data = folder.to_string_lossy().into_owned();
        let typed = [
            "fuzz",
            "--data",
            &data,
            "--listen",
            "127.0.0.1:0",
            "--admin-secret",
            SECRET,
            // Nothing but a port of this machine is ever fetched.
            "--allow-upstream",
            "127.0.0.1",
        ];
        let config = Typed::parse_from(typed).config;
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let api = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(api.local_addr().expect("an address"))
                    .expect("it waits");
                let app = Arc::new(App::open(config).expect("a pool"));
                let (metrics, tls) = (None, None);
                let listeners = Listeners { api, metrics, tls };
                let threads = Threads::start().expect("threads");
                serve(listeners, threads, app, std::future::pending()).await;
            });
        });
        told.recv().expect("an address")
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tributary_fuzz::answered(server(), SECRET, bytes));
