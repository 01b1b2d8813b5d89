//! Which threads go first where there are fewer processors than threads that want one.

/// Lets others go before the calling thread from now on: whoever only asks does not wait for a large import. Where a
/// system has no priorities of threads, nothing changes.
pub fn lower() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(reason = %error, "a thread keeps its priority");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Of the calling thread, from -20 to 19.
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        after_name.split(' ').nth(17).unwrap().parse().unwrap()
    }

    #[test]
    fn only_the_calling_thread_lets_others_go_first() {
        let before = nice();
        let lowered = std::thread::spawn(|| {
            lower();
            nice()
        });
        assert_eq!(lowered.join().unwrap(), (before + 10).min(19));
        assert_eq!(nice(), before);
    }
}
