//! What a sample looks like: evidence for people, not a promise.

use fenhe_core::{Error, Evidence, Found, Kind, Options, Result, Sample};
use fenhe_text::Encoding;

use crate::batch::{Select, schema_for};
use crate::error;
use crate::frame::{Framer, prologue};
use crate::layout::Layout;
use crate::options::{Count, FixedOptions};

/// Lines that are looked at.
const LINES: usize = 2_000;
/// Places of a line that are looked at.
const PLACES: usize = 4_096;

/// Describes the datasets of a known layout, or proposes columns.
pub(crate) fn infer(
    options: &FixedOptions,
    layout: Option<&Layout>,
    sample: &Sample,
) -> Result<Evidence> {
    match layout {
        Some(layout) => by_layout(options, layout, sample),
        None => proposal(options, sample),
    }
}

fn by_layout(options: &FixedOptions, layout: &Layout, sample: &Sample) -> Result<Evidence> {
    let mut layout = layout.clone();
    if options.header {
        let framer = Framer::new(&layout, options, sample.limits.record);
        if let Some(found) = prologue(&framer, options, &sample.bytes, sample.complete)
            && let Some((from, to)) = found.header
        {
            layout.name_columns(sample.bytes.get(from..to).unwrap_or_default())?;
        }
    }
    let name = if layout.name.is_empty() { "quick layout" } else { &layout.name };
    let length = layout.records.iter().map(|r| r.length).max().unwrap_or(0);
    let reason = format!(
        "{name}: {} record type(s) of up to {length} places, encoding {}",
        layout.records.len(),
        layout.encoding
    );
    Ok(Evidence {
        datasets: datasets(options, &layout),
        confidence: 100,
        options: Options::new(),
        reasons: vec![reason],
    })
}

/// The dataset that is read without a wish, and then the others.
fn datasets(options: &FixedOptions, layout: &Layout) -> Vec<Found> {
    let found = |name: &str, select: Select| Found {
        name: name.to_owned(),
        schema: schema_for(layout, options, select),
        records: None,
        columns: Vec::new(),
    };
    let main = Select::new(layout, options.select.as_deref()).ok();
    let mut datasets = Vec::new();
    match main {
        Some(Select::All) => datasets.push(found("all", Select::All)),
        Some(main) if layout.records.len() == 1 => datasets.push(found("", main)),
        Some(Select::One(kind)) => {
            datasets
                .push(found(layout.records.get(kind).map_or("", |r| &r.name), Select::One(kind)));
        }
        None => {}
    }
    for (index, record) in layout.records.iter().enumerate() {
        if main != Some(Select::One(index)) {
            datasets.push(found(&record.name, Select::One(index)));
        }
    }
    datasets
}

/// Columns where the lines of a sample have blanks above each other.
fn proposal(options: &FixedOptions, sample: &Sample) -> Result<Evidence> {
    let not_fixed = |what: &str| {
        Error::new(Kind::Invalid, "fixed.no_layout", what.to_owned())
            .hint("give layout=FILE, or widths=4,10,8")
    };
    let (encoding, why) = match &options.encoding {
        Some(label) => (error::encoding(label)?, "as asked for".to_owned()),
        None => {
            let found = fenhe_text::detect(&sample.bytes, None);
            let encoding = error::encoding(&found.encoding.to_string())?;
            (encoding, found.evidence.join("; "))
        }
    };
    let lines = lines(options, encoding, sample);
    if lines.is_empty() {
        return Err(not_fixed(
            "the sample has no line ends, so a record cannot be told from the next",
        ));
    }
    let count = options.count.unwrap_or_else(|| better_unit(encoding, &lines));
    let blanks: Vec<Vec<bool>> =
        lines.iter().map(|line| blank_places(encoding, count, line)).collect();
    let longest = blanks.iter().map(Vec::len).max().unwrap_or(0);
    let equal = blanks.iter().all(|b| b.len() == longest);
    let widths = widths(&blanks, longest);
    if widths.is_empty() {
        return Err(not_fixed("the sample holds nothing but blanks"));
    }
    let unit = if count == Count::Bytes { "bytes" } else { "characters" };
    let words: Vec<String> = widths.iter().map(usize::to_string).collect();
    let mut settled = Options::new();
    settled.set("widths", words.join(",")).set("encoding", encoding.to_string());
    if count == Count::Characters {
        settled.set("count", "characters");
    }
    let mut reasons = vec![format!(
        "whitespace-aligned: {} columns, split where all of {} lines have a blank before a value",
        widths.len(),
        lines.len()
    )];
    reasons.push(match equal {
        true => format!("all lines have {longest} {unit}"),
        false => format!("lines have up to {longest} {unit}"),
    });
    reasons.push(format!("encoding {encoding}: {why}"));
    reasons.push("columns that touch each other cannot be seen: check the proposal against the documents of the system".into());
    let proposed = FixedOptions {
        widths: widths.iter().map(|w| u32::try_from(*w).unwrap_or(u32::MAX)).collect(),
        encoding: Some(encoding.to_string()),
        count: Some(count),
        ..options.clone()
    };
    let layout = Layout::from_options(&proposed)?.ok_or_else(|| not_fixed("no columns"))?;
    let confidence = match (equal, widths.len(), lines.len()) {
        (_, 1, _) | (_, _, 1) => 5,
        (true, ..) => 40,
        (false, ..) => 25,
    };
    Ok(Evidence {
        datasets: by_layout(&proposed, &layout, sample)?.datasets,
        confidence,
        options: settled,
        reasons,
    })
}

/// Whole lines of the sample that hold data.
fn lines<'s>(options: &FixedOptions, encoding: Encoding, sample: &'s Sample) -> Vec<&'s [u8]> {
    let comment =
        options.comment.as_deref().and_then(|c| encoding.encode(c).ok()).unwrap_or_default();
    let body = sample.bytes.strip_prefix(encoding.bom()).unwrap_or(&sample.bytes);
    let mut lines: Vec<&[u8]> = body.split(|b| *b == b'\n').collect();
    let last = lines.pop().unwrap_or_default();
    if sample.complete && !lines.is_empty() && last != b"\x1A" {
        lines.push(last);
    }
    let held =
        |line: &&[u8]| !line.is_empty() && (comment.is_empty() || !line.starts_with(&comment));
    lines
        .into_iter()
        .skip(options.skip_lines as usize)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(held)
        .take(LINES)
        .map(|line| line.get(..PLACES.min(line.len())).unwrap_or(line))
        .collect()
}

/// Bytes, unless the lines are of one length in characters and not in bytes.
fn better_unit(encoding: Encoding, lines: &[&[u8]]) -> Count {
    let characters = |line: &&[u8]| blank_places(encoding, Count::Characters, line).len();
    let same =
        |lengths: Vec<usize>| lengths.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
    if !same(lines.iter().map(|l| l.len()).collect())
        && same(lines.iter().map(characters).collect())
    {
        return Count::Characters;
    }
    Count::Bytes
}

/// For each place of a line whether it is blank.
fn blank_places(encoding: Encoding, count: Count, line: &[u8]) -> Vec<bool> {
    let blank = encoding.blank();
    if count == Count::Bytes {
        // No supported code page has the blank as part of a longer character.
        return line.iter().map(|b| blank == [*b]).collect();
    }
    let mut step = encoding.char_step();
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|r| !r.is_empty()) {
        places.push(rest.starts_with(blank));
        at += step.len(rest).max(1);
    }
    places
}

/// Widths of the columns: each one begins at a value that follows a place that is blank in every line.
fn widths(lines: &[Vec<bool>], longest: usize) -> Vec<usize> {
    let blank = |at: usize| lines.iter().all(|line| line.get(at).copied().unwrap_or(true));
    let mut starts = Vec::new();
    for at in 0..longest {
        if !blank(at) && (at == 0 || blank(at - 1)) {
            starts.push(at);
        }
    }
    // What comes before the first value belongs to its column.
    if let Some(first) = starts.first_mut() {
        *first = 0;
    }
    let ends = starts.iter().skip(1).copied().chain([longest]);
    starts.iter().zip(ends).map(|(start, end)| end - start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str, label: &str) -> Sample {
        let encoding: Encoding = label.parse().unwrap();
        Sample { bytes: encoding.encode(text).unwrap().into(), complete: true, ..Sample::default() }
    }

    #[test]
    fn columns_are_seen_where_blanks_stand_above_each_other() {
        let text = "John Smith          WA        418-Y11-4111\nMary Hartford       CA        319-Z19-4341\n";
        let evidence = infer(&FixedOptions::default(), None, &sample(text, "utf-8")).unwrap();
        // "John " and "Mary " line up as well: one reason more to look at the proposal.
        assert_eq!(evidence.options.get("widths").unwrap(), "5,15,10,12");
        assert!(evidence.reasons[0].contains("whitespace-aligned"));
        assert!(evidence.confidence < 50);
    }

    #[test]
    fn lines_of_one_length_in_characters_are_counted_in_characters() {
        let text = "张三      12\n李四光     34\nabc     56\n";
        let evidence = infer(&FixedOptions::default(), None, &sample(text, "utf-8")).unwrap();
        assert_eq!(evidence.options.get("widths").unwrap(), "8,2");
        assert_eq!(evidence.options.get("count").unwrap(), "characters");
    }

    #[test]
    fn lines_of_one_length_in_bytes_are_counted_in_bytes() {
        let options = FixedOptions { encoding: Some("gbk".into()), ..FixedOptions::default() };
        let text = "张三      12\n李四光    34\nabc       56\n";
        let evidence = infer(&options, None, &sample(text, "gbk")).unwrap();
        assert_eq!(evidence.options.get("widths").unwrap(), "10,2");
        assert!(evidence.options.get("count").is_none());
    }
}
