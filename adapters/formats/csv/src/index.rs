//! The quick way to the same [`Table`]: one vector pass over a window, then arithmetic on positions.
//!
//! It serves the usual dialects (doubled quotes or none, LF or CR LF; delimiters of several bytes, or of bytes that are
//! parts of characters as well, are sorted out by what stands around them). Whatever it is not sure of it leaves to the general way, [`Table::walk`].

use fenhe_kernels::index::{CsvSyntax, QuoteState, csv_positions, is_regular};
use fenhe_text::Encoding;

use crate::dialect::Syntax;
use crate::options::Ragged;
use crate::split::Form;
use crate::table::{Flaw, Policy, Table};

impl Table {
    /// All whole records of a window that starts with one. `None`: something is unusual, look at it the general way.
    pub(crate) fn index(
        &mut self,
        data: &[u8],
        syntax: &Syntax,
        csv: CsvSyntax,
        policy: &Policy,
    ) -> Option<()> {
        self.clear();
        let mut positions = std::mem::take(&mut self.spare);
        let done = self.cut_by(&mut positions, data, syntax, csv, policy);
        self.spare = positions;
        done
    }

    fn cut_by(
        &mut self,
        positions: &mut Vec<u32>,
        data: &[u8],
        syntax: &Syntax,
        csv: CsvSyntax,
        policy: &Policy,
    ) -> Option<()> {
        positions.clear();
        // An entry before byte 0: the start of a field is always the entry before its end, plus one.
        positions.push(u32::MAX);
        let scan = csv_positions(data, csv, &mut QuoteState::default(), positions).ok()?;
        let plain = syntax.delimiter.len() <= 1 && syntax.stepping.is_none();
        if !plain {
            keep_delimiters(positions, data, syntax);
        }
        let is_feed = |at: &u32| data.get(*at as usize) == Some(&b'\n');
        let Some(last) = positions.iter().rposition(is_feed) else { return Some(()) };
        positions.truncate(last + 1);
        let consumed = positions.last().map_or(0, |at| *at as usize + 1);
        let whole = data.get(..consumed)?;
        if !fits(positions, whole, policy) {
            return None;
        }
        let blanks_pass = self.fields == 1 && !syntax.blank_is_record;
        let regular =
            is_regular(whole, positions.get(1..)?, self.fields, scan.line_feeds) && !blanks_pass;
        if plain && regular && !scan.quotes && !scan.cr {
            self.rows = scan.line_feeds;
            self.lines = u64::try_from(scan.line_feeds).ok();
            std::mem::swap(&mut self.starts, positions);
            self.consumed = consumed;
            return Some(());
        }
        self.starts.extend_from_slice(positions.get(..last)?);
        if let Some(more) =
            u32::try_from(syntax.delimiter.len()).ok()?.checked_sub(1).filter(|more| *more > 0)
        {
            let delimiters = self.starts.iter_mut().skip(1).filter(|at| !is_feed(at));
            delimiters.for_each(|at| *at = at.wrapping_add(more));
        }
        self.ends.extend_from_slice(positions.get(1..)?);
        if let Some(quote) = csv.quote.filter(|_| scan.quotes) {
            self.find_quotes(whole, quote)?;
        }
        if !scan.cr {
            let inside = |&(entry, _): &(u32, Form)| self.feeds_inside(entry as usize, whole);
            let feeds = scan.line_feeds + self.formed.iter().map(inside).sum::<usize>();
            self.lines = u64::try_from(feeds).ok();
        }
        if scan.cr {
            self.strip_returns(positions.get(1..)?, whole)?;
        }
        if regular {
            self.rows = scan.line_feeds;
            self.add_extents(positions);
            self.consumed = consumed;
            return Some(());
        }
        self.compact(positions, whole, syntax, policy);
        self.consumed = consumed;
        Some(())
    }

    /// Finds the fields that the quotes belong to. `None`: a quote stands where the index cannot trust it.
    fn find_quotes(&mut self, whole: &[u8], quote: u8) -> Option<()> {
        let mut quotes = memchr::memchr_iter(quote, whole);
        let mut entry = 0;
        while let Some(open) = quotes.next() {
            entry = advance(&self.ends, entry, open)?;
            let start = self.starts.get(entry)?.wrapping_add(1) as usize;
            let mut end = *self.ends.get(entry)? as usize;
            if whole.get(end) == Some(&b'\n') && end > start && whole.get(end - 1) == Some(&b'\r') {
                end -= 1;
            }
            if open != start {
                return None;
            }
            let mut form = Form::Quoted;
            loop {
                let next = quotes.next()?;
                if next + 1 == end {
                    break;
                }
                if quotes.next()? != next + 1 {
                    return None;
                }
                form = Form::Escaped;
            }
            if form == Form::Quoted {
                *self.starts.get_mut(entry)? = u32::try_from(open).ok()?;
                *self.ends.get_mut(entry)? = u32::try_from(end).ok()?.wrapping_sub(1);
            } else {
                *self.ends.get_mut(entry)? = u32::try_from(end).ok()?;
            }
            self.formed.push((u32::try_from(entry).ok()?, form));
            entry += 1;
        }
        Some(())
    }

    /// Takes the CR of CR LF away. `None`: a CR stands elsewhere outside quotes.
    fn strip_returns(&mut self, positions: &[u32], whole: &[u8]) -> Option<()> {
        let count = |bytes: &[u8]| memchr::memchr_iter(b'\r', bytes).count();
        let mut returns = count(whole);
        for &(entry, _) in &self.formed {
            let start = self.starts.get(entry as usize)?.wrapping_add(1) as usize;
            returns -= count(whole.get(start..*self.ends.get(entry as usize)? as usize)?);
        }
        for (&at, end) in positions.iter().zip(&mut self.ends) {
            let at_feed = whole.get(at as usize) == Some(&b'\n');
            if at_feed && at > 0 && whole.get(at as usize - 1) == Some(&b'\r') {
                returns = returns.checked_sub(1)?;
                // The end of a field in quotes is before them already.
                if *end == at {
                    *end -= 1;
                }
            }
        }
        (returns == 0).then_some(())
    }

    fn feeds_inside(&self, entry: usize, whole: &[u8]) -> usize {
        let start = self.starts.get(entry).map_or(0, |at| at.wrapping_add(1) as usize);
        let end = self.ends.get(entry).map_or(start, |at| *at as usize);
        memchr::memchr_iter(b'\n', whole.get(start..end).unwrap_or_default()).count()
    }

    /// Keeps the records with the right number of fields, and notes the others.
    fn compact(&mut self, positions: &[u32], whole: &[u8], syntax: &Syntax, policy: &Policy) {
        let self_fields = self.fields;
        let starts = std::mem::take(&mut self.starts);
        let ends = std::mem::take(&mut self.ends);
        let formed = std::mem::take(&mut self.formed);
        self.starts.reserve(starts.len());
        self.ends.reserve(ends.len());
        let most = usize::try_from(policy.limits.fields).unwrap_or(usize::MAX);
        // Whether filling up, or leaving out empty fields at the end, makes a row.
        let pads = |first: usize, end: usize| {
            let surplus = first + self_fields..end;
            let quoted = formed.iter().any(|(entry, _)| surplus.contains(&(*entry as usize)));
            let empty = |entry: usize| {
                starts.get(entry).map(|s| s.wrapping_add(1)) == ends.get(entry).copied()
            };
            policy.ragged == Ragged::Pad
                && end - first <= most
                && !quoted
                && surplus.clone().all(empty)
        };
        let mut forms = formed.iter().copied().peekable();
        let mut first = 0;
        for (entry, &at) in positions.iter().enumerate().skip(1) {
            if whole.get(at as usize) != Some(&b'\n') {
                continue;
            }
            let fields = entry - first;
            let end = at as usize + 1;
            let range = first..entry;
            let (Some(row_starts), Some(row_ends)) =
                (starts.get(range.clone()), ends.get(range.clone()))
            else {
                return;
            };
            let blank = fields == 1
                && row_starts.first().map(|s| s.wrapping_add(1)) == row_ends.first().copied()
                && forms.peek().is_none_or(|(e, _)| *e as usize >= entry);
            let target = self.starts.len();
            if blank && !syntax.blank_is_record {
                self.consumed = end;
            } else if fields == self.fields || pads(first, entry) {
                self.starts.extend_from_slice(row_starts);
                self.ends.extend_from_slice(row_ends);
                while let Some((at, form)) = forms.next_if(|(e, _)| (*e as usize) < entry) {
                    let moved = target + (at as usize).saturating_sub(first);
                    self.formed.push((u32::try_from(moved).unwrap_or(u32::MAX), form));
                }
                self.add_row(end);
            } else {
                self.reject(end, Flaw::Fields(fields));
            }
            while forms.next_if(|(e, _)| (*e as usize) < entry).is_some() {}
            first = entry;
        }
    }

    fn add_extents(&mut self, positions: &[u32]) {
        let place = |at: &u32| at.wrapping_add(1);
        let ends = positions.iter().skip(self.fields).step_by(self.fields).map(place);
        let starts = positions.iter().step_by(self.fields).map(place);
        self.extents.extend(starts.zip(ends));
    }
}

/// Leaves out what only looks like a delimiter: its first byte alone, or the second byte of a character.
fn keep_delimiters(positions: &mut Vec<u32>, data: &[u8], syntax: &Syntax) {
    let delimiter = syntax.delimiter.as_slice();
    let mut free = 0;
    let mut field = 0;
    let mut first = true;
    positions.retain(|at| {
        if std::mem::take(&mut first) {
            return true;
        }
        let place = *at as usize;
        if data.get(place) == Some(&b'\n') {
            field = place + 1;
            return true;
        }
        let rest = data.get(place..).unwrap_or_default();
        let real = place >= free
            && rest.starts_with(delimiter)
            && begins_character(data, field, place, syntax);
        if real {
            free = place + delimiter.len();
            field = free;
        }
        real
    });
}

/// Whether a character begins at `place`; one begins at `from`.
fn begins_character(data: &[u8], from: usize, place: usize, syntax: &Syntax) -> bool {
    let Some(encoding) = syntax.stepping else { return true };
    let before = data.get(from..place).unwrap_or_default();
    let run = before.iter().rev().take_while(|byte| **byte >= 0x80).count();
    // Whatever a byte below 80 belongs to, it ends there, unless it is the second of a four-byte code.
    if run == 0 {
        return true;
    }
    let mut at = place - run;
    let inside = data.get(at..place).unwrap_or_default();
    let digit_before = at > from && data.get(at - 1).is_some_and(u8::is_ascii_digit);
    // In GBK and its supersets such bytes are pairs, and a lead that is left over takes the byte at `place`.
    let pairs = matches!(encoding, Encoding::GB18030 | Encoding::GBK | Encoding::CP936)
        && matches!(data.get(place), Some(0x40..=0x7E))
        && !digit_before
        && inside.iter().all(|byte| (0x81..=0xFE).contains(byte));
    if pairs {
        return run.is_multiple_of(2);
    }
    if digit_before {
        at = from;
    }
    let window = data.get(..data.len().min(place + 4)).unwrap_or(data);
    while at < place {
        at += encoding.lead_len(window.get(at..).unwrap_or_default()).max(1);
    }
    at == place
}

/// The first entry from `from` on that ends at `place` or later: galloping, because quotes are rare or everywhere.
fn advance(ends: &[u32], from: usize, place: usize) -> Option<usize> {
    let before = |entry: usize| ends.get(entry).is_some_and(|end| (*end as usize) < place);
    let (mut low, mut step) = (from, 1);
    while before(low + step - 1) {
        low += step;
        step *= 2;
    }
    let high = ends.len().min(low + step);
    Some(low + ends.get(low..high)?.partition_point(|end| (*end as usize) < place))
}

/// Whether no record, and so no field, can be over a limit.
fn fits(positions: &[u32], whole: &[u8], policy: &Policy) -> bool {
    let limit =
        usize::try_from(policy.limits.record.min(policy.limits.field)).unwrap_or(usize::MAX);
    if whole.len() <= limit {
        return true;
    }
    let mut before = 0;
    positions.iter().skip(1).all(|at| {
        let end = *at as usize + 1;
        if whole.get(*at as usize) != Some(&b'\n') {
            return true;
        }
        end - std::mem::replace(&mut before, end) <= limit
    })
}

#[cfg(test)]
mod tests;
