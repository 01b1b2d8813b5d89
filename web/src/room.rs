//! Memory for a large plan, asked for at once: engines take longer to grow the memory a thousand times than to plan.

/// Payloads below need no room made: what they need is soon there.
const LARGE: usize = 1 << 20;
/// Grows the memory by as much as a payload of `len` bytes takes, which is about what its plan does; the answer asks for its
/// own room at once. When there is no room for that much, it grows by what is needed, as ever.
pub(crate) fn make(len: usize) {
    if cfg!(target_family = "wasm") && len >= LARGE {
        let mut room = Vec::<u8>::new();
        // Given back at once, it stays the module's. The compiler must not see that nobody uses it.
        let _ = room.try_reserve_exact(len);
        std::hint::black_box(&mut room);
    }
}
