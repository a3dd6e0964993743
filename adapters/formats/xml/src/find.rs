//! The record path, found by looking: the element that repeats and makes up the document.

use fenhe_core::Limits;

use crate::error::Parsed;
use crate::options::Dtd;
use crate::outline::{Next, Outline, Rules};
use crate::path::{Path, Wanted};

/// Elements of one path.
#[derive(Debug)]
struct Seen {
    parent: usize,
    wanted: Wanted,
    /// How many there are, and the most within one parent.
    count: u64,
    most: u64,
    bytes: u64,
    /// It has elements or attributes.
    compound: bool,
}

/// An open element: its path, where it starts, and how many of each path it holds.
type Open = (usize, usize, Vec<(usize, u64)>);

/// The path of the records and the sentences for it; `None` when there is no element at all.
pub(crate) fn record_path(
    text: &str,
    dtd: Dtd,
    limits: &Limits,
    complete: bool,
) -> (Option<(Path, String)>, Parsed<()>) {
    let mut paths: Vec<Seen> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut outline = Outline::default();
    let rules = Rules { path: None, dtd, limits, ended: complete, last: complete };
    let mut at = 0;
    let mut outcome = Ok(());
    loop {
        match outline.next(text, &mut at, &rules) {
            Ok(Next::Open { uri, local, attributes, from }) => {
                let parent = open.last().map_or(usize::MAX, |(path, ..)| *path);
                let Some(path) = path_of(&mut paths, parent, &uri, &local, limits.fields) else {
                    break;
                };
                if let Some(seen) = paths.get_mut(path) {
                    seen.count += 1;
                    seen.compound |= attributes > 0;
                }
                if let Some(above) = paths.get_mut(parent) {
                    above.compound = true;
                }
                if let Some((_, _, counts)) = open.last_mut() {
                    match counts.iter_mut().find(|(n, _)| *n == path) {
                        Some((_, n)) => *n += 1,
                        None => counts.push((path, 1)),
                    }
                }
                open.push((path, from, Vec::new()));
                if text.get(from..at).is_some_and(|tag| tag.ends_with("/>")) {
                    outline.close();
                    close(&mut paths, &mut open, at);
                }
            }
            Ok(Next::Close { end }) => close(&mut paths, &mut open, end),
            Ok(Next::Record { .. } | Next::More | Next::End) => break,
            Err(bad) => {
                outcome = Err(bad);
                break;
            }
        }
    }
    while !open.is_empty() {
        close(&mut paths, &mut open, text.len());
    }
    (choose(&paths, text.len()), outcome)
}

fn path_of(
    paths: &mut Vec<Seen>,
    parent: usize,
    uri: &str,
    local: &str,
    most: u64,
) -> Option<usize> {
    let same = |p: &Seen| {
        p.parent == parent
            && p.wanted.local == local
            && p.wanted.uri.as_deref().unwrap_or("") == uri
    };
    if let Some(found) = paths.iter().position(same) {
        return Some(found);
    }
    if paths.len() as u64 >= most {
        return None;
    }
    let uri = (!uri.is_empty()).then(|| uri.to_owned());
    let wanted = Wanted { uri, local: local.to_owned() };
    paths.push(Seen { parent, wanted, count: 0, most: 0, bytes: 0, compound: false });
    Some(paths.len() - 1)
}

fn close(paths: &mut [Seen], open: &mut Vec<Open>, end: usize) {
    let Some((path, from, counts)) = open.pop() else { return };
    if let Some(seen) = paths.get_mut(path) {
        seen.bytes += end.saturating_sub(from) as u64;
    }
    for (child, count) in counts {
        if let Some(seen) = paths.get_mut(child) {
            seen.most = seen.most.max(count);
        }
    }
}

/// The path that makes up most of the text and repeats most: share of the text times the logarithm of the repetitions. Bare
/// values are records only when nothing else repeats.
fn choose(paths: &[Seen], length: usize) -> Option<(Path, String)> {
    let score =
        |seen: &Seen| seen.bytes as f64 / length.max(1) as f64 * (1.0 + seen.most as f64).ln();
    let best = |compound: bool| {
        let repeated =
            paths.iter().enumerate().filter(|(_, p)| p.most > 1 && p.compound >= compound);
        repeated.max_by(|(_, a), (_, b)| score(a).total_cmp(&score(b)))
    };
    let (number, seen) =
        best(true).or_else(|| best(false)).or_else(|| paths.first().map(|p| (0, p)))?;
    let mut steps = Vec::new();
    let mut at = number;
    while let Some(step) = paths.get(at) {
        steps.push(step.wanted.clone());
        at = step.parent;
    }
    steps.reverse();
    let path = Path(steps);
    let reason = if seen.most > 1 {
        let share = seen.bytes.saturating_mul(100) / length.max(1) as u64;
        format!(
            "record {path}: {} elements, up to {} within one parent, {share} % of the sample",
            seen.count, seen.most
        )
    } else {
        format!("record {path}: no element repeats, so the document is one record")
    };
    Some((path, reason))
}
