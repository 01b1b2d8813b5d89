//! The decision behind a plain C ABI: the only unsafe code of core, host and web.
//!
//! Whoever gets a `*Buffer` from here owns it and gives it back to [`tributary_buffer_free`], once. Nothing is kept
//! between calls.
#![allow(
    unsafe_code,
    reason = "bytes of other programs arrive as addresses; `include/tributary.h` says what these must be"
)]

use crate::room;
use std::alloc::{Layout, alloc_zeroed};
use std::slice;

/// Bytes with their length, in C layout: two u32 where addresses have 32 bits.
#[repr(C)]
pub struct Buffer {
    /// Where the bytes are; never null.
    pub ptr: *mut u8,
    /// How many there are.
    pub len: usize,
}

/// The version of this interface: it changes when a function, its meaning or the layout of [`Buffer`] does.
#[unsafe(no_mangle)]
pub extern "C" fn tributary_abi_version() -> u32 {
    1
}

/// The answer for a payload under a context, as a buffer of the caller's.
///
/// # Safety
///
/// Both are null, which means no bytes, or buffers of [`tributary_buffer_new`] that nobody writes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tributary_plan(
    payload: *const Buffer,
    context: *const Buffer,
) -> *mut Buffer {
    // SAFETY: the caller keeps the promise above.
    let (payload, context) = unsafe { (bytes(payload), bytes(context)) };
    room::make(payload.len());
    lend(tributary_core::plan_json(payload, context).into_boxed_slice())
}

/// A buffer of `len` zero bytes to write a payload or a context into; null when there is no room for it.
#[unsafe(no_mangle)]
pub extern "C" fn tributary_buffer_new(len: u32) -> *mut Buffer {
    zeroed(len).map_or(std::ptr::null_mut(), lend)
}

/// Gives a buffer back. Null is ignored.
///
/// # Safety
///
/// `buffer` is null or came from here, is given back for the first time, and its `ptr` and `len` are as they were.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tributary_buffer_free(buffer: *mut Buffer) {
    if buffer.is_null() {
        return;
    }
    // SAFETY: `lend` made the buffer from two boxes, and the caller gives it back once.
    unsafe {
        let buffer = Box::from_raw(buffer);
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
            buffer.ptr, buffer.len,
        )));
    }
}

/// Hands bytes over to the caller.
fn lend(bytes: Box<[u8]>) -> *mut Buffer {
    let len = bytes.len();
    let ptr = Box::into_raw(bytes).cast::<u8>();
    Box::into_raw(Box::new(Buffer { ptr, len }))
}

/// # Safety
///
/// As at [`tributary_plan`].
unsafe fn bytes<'a>(buffer: *const Buffer) -> &'a [u8] {
    if buffer.is_null() {
        return &[];
    }
    // SAFETY: a buffer that is not null came from `lend`, so both addresses are good and `len` bytes are there.
    unsafe { slice::from_raw_parts((*buffer).ptr, (*buffer).len) }
}

/// Zero bytes, or nothing when memory is short: a payload may be larger than what is left.
fn zeroed(len: u32) -> Option<Box<[u8]>> {
    let len = usize::try_from(len).ok()?;
    if len == 0 {
        return Some(Box::default());
    }
    let layout = Layout::array::<u8>(len).ok()?;
    // SAFETY: the layout is not empty, and a box of `len` bytes frees with the same layout.
    unsafe {
        let ptr = alloc_zeroed(layout);
        (!ptr.is_null()).then(|| Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, len)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks through the ABI as a C program would.
    fn ask(payload: &[u8], context: &[u8]) -> Vec<u8> {
        let fill = |text: &[u8]| {
            let buffer = tributary_buffer_new(u32::try_from(text.len()).expect("short"));
            // SAFETY: the buffer has as many bytes as the text.
            unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), (*buffer).ptr, text.len()) };
            buffer
        };
        let (payload, context) = (fill(payload), fill(context));
        // SAFETY: all three come from here and are given back once.
        unsafe {
            let answer = tributary_plan(payload, context);
            let text = bytes(answer).to_vec();
            for buffer in [payload, context, answer] {
                tributary_buffer_free(buffer);
            }
            text
        }
    }

    #[test]
    fn the_answer_is_the_core_s() {
        for payload in [&br#"["example-token-1"]"#[..], b"", b"\xff\x00", b"{}"] {
            assert_eq!(
                ask(payload, b"{}"),
                tributary_core::plan_json(payload, b"{}")
            );
        }
    }

    #[test]
    fn null_means_no_bytes_and_is_free_to_give_back() {
        // SAFETY: null is allowed everywhere.
        unsafe {
            let answer = tributary_plan(std::ptr::null(), std::ptr::null());
            assert_eq!(bytes(answer), tributary_core::plan_json(b"", b""));
            tributary_buffer_free(answer);
            tributary_buffer_free(std::ptr::null_mut());
        }
    }

    #[test]
    fn the_buffer_has_the_layout_of_the_header() {
        assert_eq!(size_of::<Buffer>(), 2 * size_of::<usize>());
        assert_eq!(std::mem::offset_of!(Buffer, ptr), 0);
        assert_eq!(std::mem::offset_of!(Buffer, len), size_of::<usize>());
    }
}
