//! Plain records by hand: tags that were seen before, attributes and texts without surprises. It gives up at anything else,
//! and the record is read again by quick-xml, which decides: so nothing is accepted here that is refused there.

use fenhe_kernels::index::find_first_of_or_control;
use fenhe_values::Spans;

use crate::chars::is_space;
use crate::entities::{push_lines, simple_reference};
use crate::options::Trimming;
use crate::plan::{Mark, Plan};
use crate::stage::{Rules, Stage};

/// Walks over records in a text.
pub(crate) struct Walker<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) stage: &'a mut Stage,
    pub(crate) text: &'a str,
    pub(crate) rules: Rules,
    /// `<record`
    pub(crate) open: &'a Mark,
    /// `</record>`
    pub(crate) close: &'a Mark,
    /// Longest record.
    pub(crate) limit: u64,
    /// White space before elements, by level: it repeats.
    pub(crate) gaps: [Gap; LEVELS],
    /// Structs open around the one that is read.
    pub(crate) level: usize,
}

/// Levels whose white space is remembered.
pub(crate) const LEVELS: usize = 4;

/// Some white space, at most sixteen bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gap {
    word: u128,
    mask: u128,
    len: usize,
}

impl Gap {
    /// The white space between two places, if it is short.
    fn new(space: &[u8]) -> Self {
        let mut padded = [0; 16];
        let Some(start) = padded.get_mut(..space.len()).filter(|_| space.len() < 16) else {
            return Self::default();
        };
        start.copy_from_slice(space);
        Self {
            word: u128::from_le_bytes(padded),
            mask: (1 << (space.len() * 8)) - 1,
            len: space.len(),
        }
    }

    /// Where an element starts behind this white space, if it stands at `at`.
    #[inline(always)]
    fn behind(self, text: &[u8], at: usize) -> Option<usize> {
        let step = text.get(at..)?.first_chunk::<16>()?;
        let fits = (u128::from_le_bytes(*step) ^ self.word) & self.mask == 0;
        (fits && text.get(at + self.len) == Some(&b'<')).then_some(at + self.len)
    }
}

impl Walker<'_> {
    /// The end of the record that starts at `at`, staged; `None` to give up, with nothing staged.
    #[inline]
    pub(crate) fn record(&mut self, at: usize) -> Option<usize> {
        if !self.open.is_at(self.text.as_bytes(), at) {
            return None;
        }
        let rows = self.stage.rows();
        let scratch = self.stage.scratch.len();
        self.level = 0;
        self.stage.begin(self.plan, 0);
        let end = self.element(0, at + self.open.len(), self.close);
        match end.filter(|end| (end - at) as u64 <= self.limit) {
            Some(end) => Some(end),
            None => {
                self.stage.rollback(self.plan, rows);
                self.stage.scratch.truncate(scratch);
                None
            }
        }
    }

    /// The end of a struct whose name ends at `at`.
    fn element(&mut self, number: usize, at: usize, close: &Mark) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let at = match bytes.get(at)? {
            b'>' => at + 1,
            _ => {
                let at = self.attributes(number, at)?;
                match bytes.get(at..)? {
                    [b'>', ..] => at + 1,
                    [b'/', b'>', ..] => {
                        if let Some(text) = self.plan.nodes.get(number)?.bare {
                            self.empty(text)?;
                        }
                        self.stage.finish(self.plan, number);
                        return Some(at + 2);
                    }
                    _ => return None,
                }
            }
        };
        let plan = self.plan;
        let end = match plan.nodes.get(number)?.bare {
            Some(text) => self.value(text, plan.nodes.get(text)?.text, at, close)?,
            None => self.children(number, at, close)?,
        };
        self.stage.finish(self.plan, number);
        Some(end)
    }

    #[inline]
    fn children(&mut self, number: usize, mut at: usize, close: &Mark) -> Option<usize> {
        let plan = self.plan;
        let bytes = self.text.as_bytes();
        let spelled = &plan.nodes.get(number)?.spelled;
        let mut predicted = 0;
        loop {
            at = match self.gaps.get(self.level).and_then(|gap| gap.behind(bytes, at)) {
                Some(behind) => behind,
                None => self.skip_space(at)?,
            };
            if let Some(next) = spelled.get(predicted)
                && next.open.is_at(bytes, at)
            {
                let node = plan.nodes.get(next.node)?;
                let inner = at + next.open.len();
                at = match node.leaf {
                    Some(_) if !node.markup => {
                        self.value(next.node, node.text, inner, &next.close)?
                    }
                    Some(_) => return None,
                    None => {
                        self.begin(next.node)?;
                        self.level += 1;
                        let end = self.element(next.node, inner - 1, &next.close)?;
                        self.level -= 1;
                        end
                    }
                };
                predicted += usize::from(!node.list);
            } else if close.is_at(bytes, at) {
                return Some(at + close.len());
            } else {
                (at, predicted) = self.unpredicted(number, at)?;
            }
        }
    }

    /// The end of the white space at `at`, remembered when an element follows.
    fn skip_space(&mut self, from: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while is_space(*bytes.get(at)?) {
            at += 1;
        }
        if bytes.get(at + 1) != Some(&b'/')
            && let Some(gap) = self.gaps.get_mut(self.level)
        {
            *gap = Gap::new(bytes.get(from..at)?);
        }
        Some(at)
    }

    /// An element that is not the next one, or one with attributes, or empty.
    fn unpredicted(&mut self, number: usize, at: usize) -> Option<(usize, usize)> {
        let plan = self.plan;
        let bytes = self.text.as_bytes();
        let rest = bytes.get(at..)?.strip_prefix(b"<")?;
        let length = rest.iter().position(|b| is_space(*b) || matches!(b, b'>' | b'/'))?;
        let name = rest.get(..length)?;
        let spelled = &plan.nodes.get(number)?.spelled;
        let place = spelled.iter().position(|known| &*known.name == name)?;
        let known = spelled.get(place)?;
        let node = plan.nodes.get(known.node)?;
        let behind = at + 1 + length;
        let end = match (node.leaf, bytes.get(behind..)?) {
            (Some(_), _) if node.markup => return None,
            (Some(_), [b'>', ..]) => self.value(known.node, node.text, behind + 1, &known.close)?,
            (Some(_), [b'/', b'>', ..]) => {
                self.empty(known.node)?;
                behind + 2
            }
            (Some(_), _) => return None,
            (None, _) => {
                self.begin(known.node)?;
                self.level += 1;
                let end = self.element(known.node, behind, &known.close)?;
                self.level -= 1;
                end
            }
        };
        Some((end, place + usize::from(!node.list)))
    }

    fn begin(&mut self, number: usize) -> Option<()> {
        self.stage.begin(self.plan, number).then_some(())
    }

    fn empty(&mut self, number: usize) -> Option<()> {
        let end = if self.rules.empty_is_null { Spans::MISSING } else { Spans::EMPTY };
        self.stage.place(self.plan, number, 0, end).then_some(())
    }

    /// A value whose text starts at `from`: the end of its element.
    #[inline(always)]
    fn value(&mut self, number: usize, is_text: bool, from: usize, close: &Mark) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        loop {
            at += find_first_of_or_control(bytes.get(at..)?, *b"<>&\r")?;
            match bytes.get(at)? {
                b'<' => break,
                // `]]>` is refused (clause 2.4).
                b'>' if !bytes.get(from..at)?.ends_with(b"]]") => at += 1,
                b'&' | b'\r' => return self.referring(number, is_text, from, close),
                _ => return None,
            }
        }
        if !close.is_at(bytes, at) || (at - from) as u64 > self.rules.field {
            return None;
        }
        self.span(number, is_text, from, at)?;
        Some(at + close.len())
    }

    #[inline(always)]
    fn span(&mut self, number: usize, is_text: bool, mut from: usize, mut to: usize) -> Option<()> {
        let bytes = self.text.as_bytes();
        if !is_text || self.rules.trim != Trimming::None {
            if is_text && self.rules.trim == Trimming::Collapse {
                return self.scratch(number, is_text, from, to);
            }
            let (left, right) = match self.rules.trim {
                _ if !is_text => (true, true),
                Trimming::None => (false, false),
                Trimming::Left => (true, false),
                Trimming::Right => (false, true),
                Trimming::Both | Trimming::Collapse => (true, true),
            };
            while left && from < to && bytes.get(from).is_some_and(|b| is_space(*b)) {
                from += 1;
            }
            while right && from < to && bytes.get(to - 1).is_some_and(|b| is_space(*b)) {
                to -= 1;
            }
        }
        if from == to {
            return self.empty(number);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the text is shorter than 4 GiB: the run sees to it"
        )]
        let (from, to) = (from as u32, to as u32);
        self.stage.place(self.plan, number, from, to).then_some(())
    }

    fn scratch(&mut self, number: usize, is_text: bool, from: usize, to: usize) -> Option<()> {
        let text = self.text.get(from..to)?;
        let span = self.stage.scratched(text, is_text, self.rules, self.text.len());
        self.stage.place(self.plan, number, span.0, span.1).then_some(())
    }

    /// A value with references or carriage returns in it.
    #[cold]
    fn referring(
        &mut self,
        number: usize,
        is_text: bool,
        from: usize,
        close: &Mark,
    ) -> Option<usize> {
        let end = from + memchr::memchr(b'<', self.text.as_bytes().get(from..)?)?;
        let raw = self.text.get(from..end)?;
        let controls = find_first_of_or_control::<0>(raw.as_bytes(), []).is_some();
        if controls || raw.contains("]]>") || !close.is_at(self.text.as_bytes(), end) {
            return None;
        }
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('&') {
            push_lines(before, &mut value);
            let (name, behind) = after.split_once(';')?;
            value.push(simple_reference(name, 0).ok()??);
            rest = behind;
        }
        push_lines(rest, &mut value);
        if value.len() as u64 > self.rules.field {
            return None;
        }
        let span = self.stage.scratched(&value, is_text, self.rules, self.text.len());
        self.stage.place(self.plan, number, span.0, span.1).then_some(end + close.len())
    }

    /// Attributes of a struct: where they end. Declarations, prefixes and references are for quick-xml.
    fn attributes(&mut self, number: usize, mut at: usize) -> Option<usize> {
        let plan = self.plan;
        let bytes = self.text.as_bytes();
        let known = &plan.nodes.get(number)?.attributes;
        loop {
            let before = at;
            while is_space(*bytes.get(at)?) {
                at += 1;
            }
            if matches!(bytes.get(at)?, b'>' | b'/') {
                return Some(at);
            }
            if at == before {
                return None;
            }
            let rest = bytes.get(at..)?;
            let length = memchr::memchr(b'=', rest.get(..rest.len().min(1 << 10))?)?;
            let name = rest.get(..length)?;
            let (_, node) = known.iter().find(|(known, _)| **known == *name)?;
            let quote = *rest.get(length + 1)?;
            if !matches!(quote, b'"' | b'\'') {
                return None;
            }
            let from = at + length + 2;
            // What has to be normalised, or is not allowed, is left to quick-xml.
            let to = from
                + find_first_of_or_control(
                    bytes.get(from..)?,
                    [quote, b'<', b'&', b'\t', b'\n', b'\r'],
                )?;
            if *bytes.get(to)? != quote || (to - from) as u64 > self.rules.field {
                return None;
            }
            let is_text = plan.nodes.get(*node)?.text;
            self.span(*node, is_text, from, to)?;
            at = to + 1;
        }
    }
}
