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
    const AT_ONCE: u32 = 128;

    /// One more step begins.
    pub fn begin(&mut self) {
        if self.is_due() {
            thread::yield_now();
        }
    }

    fn is_due(&mut self) -> bool {
        self.since_offered = (self.since_offered + 1) % Steps::AT_ONCE;
        self.since_offered == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_offers_its_processor_now_and_then_and_short_work_never() {
        let due = |count| {
            let mut steps = Steps::default();
            (0..count).filter(|_| steps.is_due()).count()
        };
        assert_eq!([1, 127, 128, 255, 256, 1_280].map(due), [0, 0, 1, 1, 2, 10]);
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
