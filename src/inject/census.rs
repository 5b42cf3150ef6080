//! How many threads this process runs, or `None` where nobody says.

/// Linux lists the threads of a process as directories. No procfs, or one that hides this process, tells nothing.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn threads() -> Option<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc/self/task").ok()? {
        entry.ok()?;
        count += 1;
    }
    // This thread is one of them, so an empty list is no list.
    (count > 0).then_some(count)
}

#[cfg(any(target_os = "macos", target_os = "freebsd"))]
pub(super) fn threads() -> Option<usize> {
    num_threads::num_threads().map(std::num::NonZero::get)
}

/// std guarantees of `set_var`: "This function is also always safe to call on Windows, in single-threaded and
/// multi-threaded programs." So no second thread counts there.
#[cfg(windows)]
pub(super) fn threads() -> Option<usize> {
    Some(1)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd", windows)))]
pub(super) fn threads() -> Option<usize> {
    None
}
