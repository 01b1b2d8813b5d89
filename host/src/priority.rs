//! Which threads go first where there are fewer processors than threads that want one.

use std::thread;

/// Lets others go before the calling thread from now on: whoever only asks does not wait for a large import. Where a
/// system has no priorities of threads, nothing changes.
pub fn lower() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(reason = %error, "a thread keeps its priority");
    }
}

/// Steps of long work, some microseconds each. A system lets a thread go on for milliseconds before one that has become ready
/// meanwhile gets its processor: so it is offered now and then.
#[derive(Default)]
pub struct Steps {
    since_offered: u32,
}

impl Steps {
    /// After so many the processor is offered: never in shorter work.
    const AT_ONCE: u32 = 64;

    /// One more step is done.
    pub fn done(&mut self) {
        if self.is_due() {
            thread::yield_now();
        }
    }

    fn is_due(&mut self) -> bool {
        self.since_offered = (self.since_offered + 1) % Steps::AT_ONCE;
        self.since_offered == 0
    }
}

/// Bytes that are worked on before the processor is offered.
pub const BYTES_AT_ONCE: usize = 64 << 10;

/// Works on bytes part by part, and offers the processor after each that is not smaller than others.
pub fn part_by_part<E>(
    bytes: &[u8],
    mut work: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    for part in bytes.chunks(BYTES_AT_ONCE) {
        work(part)?;
        if part.len() == BYTES_AT_ONCE {
            thread::yield_now();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_offers_its_processor_now_and_then_and_short_work_never() {
        let due = |steps| {
            let mut done = Steps::default();
            (0..steps).filter(|_| done.is_due()).count()
        };
        assert_eq!([1, 63, 64, 127, 128, 640].map(due), [0, 0, 1, 1, 2, 10]);
    }

    #[test]
    fn bytes_are_worked_on_in_their_order_until_something_is_wrong() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(2 * BYTES_AT_ONCE + 7).collect();
        let (mut seen, mut lens) = (Vec::new(), Vec::new());
        let done = part_by_part(&bytes, |part| {
            seen.extend_from_slice(part);
            lens.push(part.len());
            Ok::<_, ()>(())
        });
        assert_eq!(
            (done, lens),
            (Ok(()), vec![BYTES_AT_ONCE, BYTES_AT_ONCE, 7])
        );
        assert!(seen == bytes);
        let mut parts = 0;
        let failed = part_by_part(&bytes, |_| {
            parts += 1;
            Err("full")
        });
        assert_eq!((failed, parts), (Err("full"), 1));
    }

    /// Of the calling thread, from -20 to 19.
    #[cfg(target_os = "linux")]
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        after_name.split(' ').nth(17).unwrap().parse().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_calling_thread_lets_others_go_first() {
        let before = nice();
        let lowered = thread::spawn(|| {
            lower();
            nice()
        });
        assert_eq!(lowered.join().unwrap(), (before + 10).min(19));
        assert_eq!(nice(), before);
    }
}
