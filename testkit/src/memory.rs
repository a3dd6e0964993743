//! Tests in a child process that may have only so much memory: what asks for more dies, and the test with it.

use std::process::Command;

/// Name of the test that runs fenced in this process.
const FENCED: &str = "FENHE_FENCED";

/// Runs `body` in a process of its own whose address space is bounded: an allocation beyond it aborts that process, whatever
/// the code catches, and fails this test. `test` is the full name of the calling test (`there_is_a_bound`, or
/// `module::there_is_a_bound`). What the body prints is printed. Where no bound can be set the body runs as it is.
///
/// # Panics
/// When the body does, or asks for more memory.
pub fn within(mebibytes: u64, test: &str, body: impl FnOnce()) {
    if std::env::var(FENCED).is_ok_and(|name| name == test) || !cfg!(target_os = "linux") {
        return body();
    }
    // Arenas would reserve address space for every thread.
    let child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {} && exec \"$0\" \"$@\"", mebibytes * 1024)])
        .arg(std::env::current_exe().expect("a test knows its program"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FENCED, test)
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .expect("a shell");
    let (out, err) =
        (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{test} within {mebibytes} MiB: {}\n{out}{err}", child.status);
    assert!(out.contains("1 passed"), "no test is called {test}: {out}");
    #[allow(clippy::print_stdout, reason = "what the child counted")]
    {
        print!("{out}");
    }
}

/// Bytes of memory that `body` took at its height beyond what was there before; `None` where this cannot be known.
pub fn taken(body: impl FnOnce()) -> Option<u64> {
    // Sets the height back to what is resident now (proc(5)).
    let known = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = status("VmRSS:");
    body();
    known.then(|| status("VmHWM:").zip(before)).flatten().map(|(most, b)| most.saturating_sub(b))
}

fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    #[should_panic(expected = "within 256 MiB")]
    fn an_allocation_beyond_the_fence_fails_the_test() {
        within(256, "memory::tests::an_allocation_beyond_the_fence_fails_the_test", || {
            std::hint::black_box(vec![1_u8; 1 << 30]);
        });
    }

    #[test]
    fn memory_that_was_taken_is_seen() {
        let taken = taken(|| drop(std::hint::black_box(vec![1_u8; 64 << 20])));
        assert!(taken.is_none_or(|taken| taken >= 60 << 20), "{taken:?}");
    }
}
