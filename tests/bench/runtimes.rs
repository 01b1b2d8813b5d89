//! The wasm: what a plan costs in each of its runtimes, against the native core, and its size. The module has the payload in
//! its memory, and leaves its answer there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use wasmtime::{Config, Engine, Inlining, Instance, Memory, Module, Store, TypedFunc};

use crate::gzip::gzip;
use crate::harness::Home;
use crate::plan::{added_all, as_json};
use crate::report::{Goal, Report, Unit, median, timed};
use crate::{MANY, RUNS, node, wasmtime_example};

/// In wasmtime, in turns with the native core.
pub(crate) fn in_wasmtime(report: &mut Report, body: &str) {
    let Some(module) = module() else { return };
    let mut wasm = Wasm::load(&module);
    let (mut product, mut floor) = (vec![], vec![]);
    for _ in 0..RUNS {
        floor.push(as_json(body));
        product.push(wasm.plan(body));
    }
    report.times(
        "plan in wasmtime, payload in its memory, against native",
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(1.4),
    );
}

/// The module, where it is built.
fn module() -> Option<PathBuf> {
    let path = node::web().join("tributary.wasm");
    let is_built = path.exists();
    if !is_built {
        println!("the wasm is not built: `cargo prove` builds it");
    }
    is_built.then_some(path)
}

/// The module in wasmtime.
struct Wasm {
    store: Store<()>,
    memory: Memory,
    new: TypedFunc<u32, u32>,
    plan: TypedFunc<(u32, u32), u32>,
    free: TypedFunc<u32, ()>,
}

impl Wasm {
    fn load(file: &Path) -> Wasm {
        // As in the Rust example.
        let engine = Engine::new(Config::new().compiler_inlining(Inlining::Yes));
        let engine = engine.expect("settings that it knows");
        let mut store = Store::new(&engine, ());
        let module = Module::from_file(&engine, file).expect("`cargo prove` builds the wasm");
        let wasm = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
        let function = "it exports what web/src/abi.rs says";
        Wasm {
            memory: wasm.get_memory(&mut store, "memory").expect(function),
            new: wasm
                .get_typed_func(&mut store, "tributary_buffer_new")
                .expect(function),
            plan: wasm
                .get_typed_func(&mut store, "tributary_plan")
                .expect(function),
            free: wasm
                .get_typed_func(&mut store, "tributary_buffer_free")
                .expect(function),
            store,
        }
    }

    /// How long the plan takes, once the payload is in the module's memory.
    fn plan(&mut self, body: &str) -> Duration {
        let lent = (self.lend(body), self.lend("{}"));
        let mut answer = 0;
        let taken = timed(|| answer = self.plan.call(&mut self.store, lent).expect("an answer"));
        assert!(added_all(self.bytes(answer)));
        for buffer in [lent.0, lent.1, answer] {
            self.free.call(&mut self.store, buffer).expect("its own");
        }
        taken
    }

    fn lend(&mut self, text: &str) -> u32 {
        let len = u32::try_from(text.len()).expect("below 4 GiB");
        let buffer = self.new.call(&mut self.store, len).expect("room");
        self.bytes(buffer).copy_from_slice(text.as_bytes());
        buffer
    }

    fn bytes(&mut self, buffer: u32) -> &mut [u8] {
        let memory = self.memory.data_mut(&mut self.store);
        wasmtime_example::bytes(memory, buffer).expect("a buffer")
    }
}

/// In Node.
pub(crate) fn in_node(report: &mut Report, body: &str) {
    const SCRIPT: &str = r#"
        import { readFileSync } from 'node:fs';
        const [wasm, payload, count, runs] = process.argv.slice(1);
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasm)));
        const bytes = (buffer) => {
            const [ptr, len] = new Uint32Array(exports.memory.buffer, buffer >>> 0, 2);
            return Buffer.from(exports.memory.buffer, ptr, len);
        };
        const lend = (text) => {
            const buffer = exports.tributary_buffer_new(text.length);
            bytes(buffer).set(text);
            return buffer;
        };
        const body = readFileSync(payload), context = Buffer.from('{}'), times = [];
        for (let run = 0; run < runs; run++) {
            const buffers = [lend(body), lend(context)];
            const began = performance.now();
            buffers.push(exports.tributary_plan(...buffers));
            times.push(performance.now() - began);
            const answer = bytes(buffers[2]).toString('latin1', 0, 400);
            if (!answer.includes(`"added":${count},`)) throw new Error(answer);
            buffers.forEach((buffer) => exports.tributary_buffer_free(buffer));
        }
        console.log(JSON.stringify(times));"#;
    let Some(module) = module() else { return };
    against_native(report, "Node", body, 1.4, |payload| {
        let run = Command::new("node")
            .args(["--input-type=module", "-e", SCRIPT])
            .args([&module, payload])
            .args([MANY.to_string(), RUNS.to_string()])
            .output();
        let Ok(run) = run else {
            println!("Node is not installed");
            return None;
        };
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{said}");
        Some(serde_json::from_slice(&run.stdout).expect("times"))
    });
}

/// In the page's module.
pub(crate) fn in_browsers(report: &mut Report, body: &str) {
    for (name, programs, goal) in [
        ("chromium", &["chromium", "chromium-browser"][..], 1.4),
        ("firefox", &["firefox-esr", "firefox"][..], 1.6),
    ] {
        let Some(browser) = node::browser(name, programs) else {
            continue;
        };
        against_native(report, name, body, goal, |payload| {
            let told = json!({"web": node::web(), "payload": payload, "count": MANY, "runs": RUNS});
            let mut answered = browser.run("bench", &told);
            Some(serde_json::from_value(answered["times"].take()).expect("times"))
        });
    }
}

/// The row of a runtime that is given the file of the payload and tells what each run took, in milliseconds; `None` where it
/// is not installed. The native core runs before it and after it.
fn against_native(
    report: &mut Report,
    runtime: &str,
    body: &str,
    goal: f64,
    run: impl FnOnce(&PathBuf) -> Option<Vec<f64>>,
) {
    let home = Home::new();
    let payload = home.file("payload.json");
    std::fs::write(&payload, body).expect("a file");
    let mut floor: Vec<_> = (0..RUNS).map(|_| as_json(body)).collect();
    let Some(times) = run(&payload) else { return };
    let times = times.into_iter();
    let mut product: Vec<_> = times.map(|ms| Duration::from_secs_f64(ms / 1e3)).collect();
    floor.extend((0..RUNS).map(|_| as_json(body)));
    report.times(
        &format!("plan in {runtime}, payload in its memory, against native"),
        median(&mut product),
        median(&mut floor),
        Goal::AtMost(goal),
    );
}

/// How large the module is, as it is and gzipped, against its goals.
pub(crate) fn size(report: &mut Report) {
    let Some(module) = module() else { return };
    let bytes = std::fs::read(module).expect("the module can be read");
    for (name, size, most) in [
        ("tributary.wasm, against 100 KB", bytes.len(), 100e3),
        ("the same gzipped, against 44 KB", gzip(&bytes).len(), 44e3),
    ] {
        let values = (size as f64, most);
        report.row(name, Unit::Bytes, values, Some(Goal::AtMost(1.0)));
    }
}
