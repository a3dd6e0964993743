//! One thread beside two, reading the same file through the engine: wall time, because that is what threads are for.
//!
//! The last figure is what the machine itself gives in that minute: how much more two independent reads, side by side,
//! get done than one alone. Cores that are shared, or two halves of one core, give less than 2, and no program more.
//!
//! `FENHE_BENCH_MB=200 cargo bench --bench threads`. On a machine of two cores that does nothing else; the sizes and
//! names are those of the bench `decode`.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program for the terminal"
)]

#[path = "common/mod.rs"]
mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fenhe::Files;
use fenhe_core::{Exchange, Format, ReadRequest};

fn main() {
    let files = common::files();
    let rounds = common::setting("FENHE_BENCH_ROUNDS").and_then(|v| v.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    for name in common::NAMES {
        if !common::wanted(name) {
            continue;
        }
        let (format, _, path) = common::subject(name, &files);
        let open = |threads| exchange(&format, &path, threads);
        let (one, two) = (open(1), open(2));
        assert_eq!(runtime.block_on(rows(&*one)), runtime.block_on(rows(&*two)), "{name}");
        let other = open(1);
        let (mut ones, mut twos, mut ratios, mut most) = (vec![], vec![], vec![], vec![]);
        for _ in 0..rounds {
            let a = wall(|| runtime.block_on(rows(&*one)));
            let b = wall(|| runtime.block_on(rows(&*two)));
            let apart = wall(|| side_by_side(&one, &other));
            ones.push(a);
            twos.push(b);
            ratios.push(a / b);
            most.push(2.0 * a / apart);
        }
        println!(
            "{name:<14} one thread {:.3} s  two {:.3} s  ratio {:.2}  (the machine {:.2})",
            common::median(ones),
            common::median(twos),
            common::median(ratios),
            common::median(most)
        );
    }
}

/// The file as the engine reads it; columns are found by looking, as for a file given on a command line.
fn exchange(format: &Arc<dyn Format>, path: &Path, threads: usize) -> Arc<dyn Exchange> {
    let (store, name) =
        fenhe_file::Files::at(path.to_str().expect("a path in UTF-8")).expect("a folder");
    Arc::new(Files::new(Arc::new(store), name, Arc::clone(format)).threads(threads))
}

async fn rows(exchange: &dyn Exchange) -> usize {
    let mut reader = exchange.read(ReadRequest::default()).await.expect("a reader");
    let mut rows = 0;
    while let Some(batch) = reader.next().await.expect("a batch") {
        rows += batch.rows();
    }
    rows
}

/// Two reads that have nothing in common.
fn side_by_side(one: &Arc<dyn Exchange>, other: &Arc<dyn Exchange>) -> usize {
    let read = |exchange: &Arc<dyn Exchange>| {
        let exchange = Arc::clone(exchange);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(rows(&*exchange))
        })
    };
    let (one, other) = (read(one), read(other));
    one.join().expect("one") + other.join().expect("the other")
}

fn wall(run: impl FnOnce() -> usize) -> f64 {
    let before = Instant::now();
    std::hint::black_box(run());
    before.elapsed().as_secs_f64()
}
