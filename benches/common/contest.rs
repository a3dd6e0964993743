//! Two sides in interleaved rounds, by the clock of the processor.

use std::fs;

use super::{setting, wanted};

/// One format against one peer.
pub struct Contest<'a> {
    name: &'a str,
    peer_name: &'a str,
    bytes: u64,
}

impl<'a> Contest<'a> {
    /// `bytes` are those of the format that each round reads or writes.
    pub fn new(name: &'a str, peer_name: &'a str, bytes: u64) -> Self {
        Self { name, peer_name, bytes }
    }

    /// Interleaved rounds of two sides that return how many rows they did; prints medians and the ratio of each pair's median.
    pub fn run(self, ours: impl Fn() -> usize, peer: impl Fn() -> usize) {
        let Self { name, peer_name, bytes } = self;
        if !wanted(name) {
            return;
        }
        let rounds = setting("FENHE_BENCH_ROUNDS").and_then(|v| v.parse().ok()).unwrap_or(5);
        let (mut mine, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        assert_eq!(ours(), peer(), "{name}: both do the same rows");
        for _ in 0..rounds {
            let a = cpu(&ours);
            let b = cpu(&peer);
            mine.push(a);
            theirs.push(b);
            ratios.push(b / a);
        }
        let size = bytes as f64 / 1e6;
        let (mine, theirs) = (median(mine), median(theirs));
        println!(
            "{name:<14} {size:>7.1} MB  fenhe {:>7.1} MB/s  {peer_name} {:>7.1} MB/s  ratio {:.2}",
            size / mine,
            size / theirs,
            median(ratios)
        );
    }
}

/// CPU seconds of this thread for `run`, as the scheduler counts them.
pub fn cpu(run: impl FnOnce() -> usize) -> f64 {
    let before = on_cpu();
    std::hint::black_box(run());
    (on_cpu() - before) as f64 / 1e9
}

fn on_cpu() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux scheduler figures");
    text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds on the processor")
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
