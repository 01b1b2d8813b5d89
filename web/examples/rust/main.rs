//! A Rust program that decides with the wasm: `cargo run --example rust -- tributary.wasm payload.json context.json`.

use wasmtime::{Config, Engine, Inlining, Instance, Module, Result, Store, error::Context};

/// Answers a payload under a context.
pub(crate) type Plan = Box<dyn FnMut(&[u8], &[u8]) -> Result<Vec<u8>>>;

/// Loads the module.
pub(crate) fn load(wasm: &[u8]) -> Result<Plan> {
    // A small module has many small functions: what calls them takes them in, and is faster.
    let engine = Engine::new(Config::new().compiler_inlining(Inlining::Yes))?;
    let mut store = Store::new(&engine, ());
    let wasm = Instance::new(&mut store, &Module::new(&engine, wasm)?, &[])?;
    let new = wasm.get_typed_func::<u32, u32>(&mut store, "tributary_buffer_new")?;
    let plan = wasm.get_typed_func::<(u32, u32), u32>(&mut store, "tributary_plan")?;
    let free = wasm.get_typed_func::<u32, ()>(&mut store, "tributary_buffer_free")?;
    let memory = wasm.get_memory(&mut store, "memory").context("no memory")?;
    Ok(Box::new(move |payload, context| {
        let mut lent = [0; 2];
        for (text, buffer) in [payload, context].into_iter().zip(&mut lent) {
            *buffer = new.call(&mut store, u32::try_from(text.len())?)?;
            let room = bytes(memory.data_mut(&mut store), *buffer).context("no room")?;
            room.copy_from_slice(text);
        }
        let answer = plan.call(&mut store, lent.into())?;
        let text = bytes(memory.data_mut(&mut store), answer).map(|text| text.to_vec());
        for buffer in [lent[0], lent[1], answer] {
            free.call(&mut store, buffer)?;
        }
        text.context("no answer")
    }))
}

/// What a buffer holds, whose address and length lie where it points to; nothing when it is null.
pub(crate) fn bytes(memory: &mut [u8], buffer: u32) -> Option<&mut [u8]> {
    let read = |at| Some(u32::from_le_bytes(*memory.get(at..)?.first_chunk()?) as usize);
    let (ptr, len) = (read(buffer as usize)?, read(buffer as usize + 4)?);
    memory.get_mut(ptr..ptr + len).filter(|_| buffer != 0)
}

fn main() -> Result<()> {
    let [wasm, payload, context] = [1, 2, 3].map(|at| {
        let path = std::env::args().nth(at).unwrap_or_default();
        std::fs::read(&path).with_context(|| format!("`{path}` cannot be read"))
    });
    let answer = load(&wasm?)?(&payload?, &context?)?;
    println!("{}", String::from_utf8(answer)?);
    Ok(())
}
