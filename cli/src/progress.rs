//! A progress bar on standard error, only on terminals; and Ctrl-C.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use fenhe::{Control, Files};
use indicatif::{ProgressBar, ProgressStyle};

/// A control that shows progress and stops at Ctrl-C.
pub(crate) struct Watch {
    pub(crate) control: Control,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Watches reads of these files, whose sizes add up to the whole.
    pub(crate) async fn start(files: &[Option<Files>]) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => Some(bar(size(files).await)),
            false => None,
        };
        let shown = bar.clone();
        let control = match shown {
            None => Control::default(),
            Some(bar) => {
                // Bytes by flow; flows to several targets of one reading share what stands before the dot.
                let done = std::sync::Mutex::new(BTreeMap::<String, u64>::new());
                Control::default().following(move |progress| {
                    let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let reading = progress.flow.split('.').next().unwrap_or_default();
                    let bytes = done.entry(reading.to_owned()).or_default();
                    *bytes = progress.bytes.max(*bytes);
                    bar.set_position(done.values().sum());
                    bar.set_message(format!(
                        "{} records, {} rejected",
                        progress.read, progress.rejected
                    ));
                })
            }
        };
        stop_at_interrupt(control.clone());
        Self { control, bar }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The first Ctrl-C stops after the batch at hand, the second at once.
fn stop_at_interrupt(control: Control) {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            control.stop();
            crate::out::message("stopping after the batch at hand; press again to stop at once");
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(1);
        }
    });
}

async fn size(files: &[Option<Files>]) -> Option<u64> {
    let mut sum = 0;
    for file in files {
        sum += file.as_ref()?.size().await.ok().flatten()?;
    }
    Some(sum)
}

fn bar(size: Option<u64>) -> ProgressBar {
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "{bar:30} {percent}% {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
