//! The values of some records, as places in the text, before they become columns.

use fenhe_core::Fault;
use fenhe_values::Spans;

use crate::names::{Element, XSI};
use crate::options::{Extra, Trimming};
use crate::plan::{Kind, Plan, is_nil};
use crate::slow::Sink;

/// Places of values by node, and how lists and structs group them.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) cells: Vec<Cells>,
    /// Values that do not stand in the text as they are.
    pub(crate) scratch: String,
}

/// What was staged of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    /// Places of a value's instances: start and end.
    pub(crate) places: Vec<[u32; 2]>,
    /// Instances of a struct, and whether each is there.
    pub(crate) valid: Vec<bool>,
    /// Of a list: instances at the end of each instance of the parent.
    pub(crate) offsets: Vec<u32>,
}

impl Cells {
    /// The places as the columns take them.
    pub(crate) fn spans(&self) -> Spans<'_> {
        let list = self.places.as_flattened();
        let ends = list.get(1..).unwrap_or_default();
        Spans::Listed { starts: list, ends, skip: 0, first: 0, stride: 2, rows: self.places.len() }
    }

    #[inline(always)]
    fn count(&self, leaf: bool) -> usize {
        if leaf { self.places.len() } else { self.valid.len() }
    }
}

impl Stage {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { cells: vec![Cells::default(); plan.nodes.len()], scratch: String::new() }
    }

    /// Records staged.
    pub(crate) fn rows(&self) -> usize {
        self.cells.first().map_or(0, |cells| cells.valid.len())
    }

    /// Forgets everything and keeps the room.
    pub(crate) fn clear(&mut self) {
        for cells in &mut self.cells {
            cells.places.clear();
            cells.valid.clear();
            cells.offsets.clear();
        }
        self.scratch.clear();
    }

    /// Takes a value; `false` when its element has one already.
    #[inline(always)]
    pub(crate) fn place(&mut self, plan: &Plan, number: usize, start: u32, end: u32) -> bool {
        let Some(node) = plan.nodes.get(number) else { return false };
        let parents = self.cells.get(node.parent).map_or(0, |cells| cells.valid.len());
        let Some(cells) = self.cells.get_mut(number) else { return false };
        if !node.list && cells.places.len() >= parents {
            return false;
        }
        cells.places.push([start, end]);
        true
    }

    /// Starts an instance of a struct; `false` when there is one already.
    pub(crate) fn begin(&mut self, plan: &Plan, number: usize) -> bool {
        let Some(node) = plan.nodes.get(number) else { return false };
        let parents = self.cells.get(node.parent).map_or(0, |cells| cells.valid.len());
        let Some(cells) = self.cells.get_mut(number) else { return false };
        if number != 0 && !node.list && cells.valid.len() >= parents {
            return false;
        }
        cells.valid.push(true);
        true
    }

    /// Ends an instance of a struct: whatever did not come is missing.
    pub(crate) fn finish(&mut self, plan: &Plan, number: usize) {
        let Some(node) = plan.nodes.get(number) else { return };
        let count = self.cells.get(number).map_or(0, |cells| cells.valid.len());
        for child in &node.children {
            let Some(below) = plan.nodes.get(*child) else { continue };
            let Some(cells) = self.cells.get_mut(*child) else { continue };
            let have = cells.count(below.leaf.is_some());
            if below.list {
                cells.offsets.push(u32::try_from(have).unwrap_or(u32::MAX));
            } else if have < count {
                self.missing(plan, *child);
            }
        }
    }

    /// Says that the last instance of a struct is not there.
    pub(crate) fn set_missing(&mut self, number: usize) {
        if let Some(valid) = self.cells.get_mut(number).and_then(|cells| cells.valid.last_mut()) {
            *valid = false;
        }
    }

    #[cold]
    fn missing(&mut self, plan: &Plan, number: usize) {
        let leaf = plan.nodes.get(number).is_some_and(|node| node.leaf.is_some());
        let Some(cells) = self.cells.get_mut(number) else { return };
        if leaf {
            cells.places.push([0, Spans::MISSING]);
        } else {
            cells.valid.push(false);
            self.finish(plan, number);
        }
    }

    /// Takes back everything from record `rows` on.
    #[cold]
    pub(crate) fn rollback(&mut self, plan: &Plan, rows: usize) {
        self.truncate(plan, 0, rows);
    }

    fn truncate(&mut self, plan: &Plan, number: usize, count: usize) {
        let Some(node) = plan.nodes.get(number) else { return };
        if let Some(cells) = self.cells.get_mut(number) {
            cells.places.truncate(count);
            cells.valid.truncate(count);
        }
        for child in &node.children {
            let list = plan.nodes.get(*child).is_some_and(|below| below.list);
            let mut below = count;
            if let Some(cells) = self.cells.get_mut(*child).filter(|_| list) {
                cells.offsets.truncate(count);
                below = cells.offsets.last().map_or(0, |n| *n as usize);
            }
            self.truncate(plan, *child, below);
        }
    }

    /// Keeps the records that are marked.
    #[cold]
    pub(crate) fn keep(&mut self, plan: &Plan, rows: &[bool]) {
        self.filter(plan, 0, rows);
    }

    fn filter(&mut self, plan: &Plan, number: usize, keep: &[bool]) {
        let Some(node) = plan.nodes.get(number) else { return };
        if let Some(cells) = self.cells.get_mut(number) {
            retain(&mut cells.places, keep);
            retain(&mut cells.valid, keep);
        }
        for child in &node.children {
            if !plan.nodes.get(*child).is_some_and(|below| below.list) {
                self.filter(plan, *child, keep);
                continue;
            }
            let Some(cells) = self.cells.get_mut(*child) else { continue };
            let (mut items, mut from, mut kept) = (Vec::new(), 0, 0);
            let mut offsets = Vec::new();
            for (end, keep) in cells.offsets.iter().zip(keep) {
                let n = end.saturating_sub(from);
                items.resize(items.len() + n as usize, *keep);
                if *keep {
                    kept += n;
                    offsets.push(kept);
                }
                from = *end;
            }
            cells.offsets = offsets;
            self.filter(plan, *child, &items);
        }
    }

    /// The record of each instance of a node.
    #[cold]
    pub(crate) fn rows_of(&self, plan: &Plan, number: usize) -> Vec<usize> {
        let Some(node) = plan.nodes.get(number).filter(|_| number != 0) else {
            return (0..self.rows()).collect();
        };
        let above = self.rows_of(plan, node.parent);
        if !node.list {
            return above;
        }
        let offsets = self.cells.get(number).map_or(&[][..], |cells| &cells.offsets);
        let mut rows = Vec::new();
        for (row, end) in above.iter().zip(offsets) {
            rows.resize(*end as usize, *row);
        }
        rows
    }
}

/// Keeps what is marked.
fn retain<T: Copy>(list: &mut Vec<T>, keep: &[bool]) {
    let mut marks = keep.iter();
    list.retain(|_| marks.next().copied().unwrap_or(false));
}

/// How texts become values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) trim: Trimming,
    /// An empty text is a null.
    pub(crate) empty_is_null: bool,
    pub(crate) extra: Extra,
    /// Longest value.
    pub(crate) field: u64,
    /// Values with U+FFFD in them are null: the record holds bytes that are no character.
    pub(crate) broken_is_null: bool,
}

/// Stages one record that quick-xml reads.
pub(crate) struct Stager<'a> {
    pub(crate) plan: &'a mut Plan,
    pub(crate) stage: &'a mut Stage,
    pub(crate) rules: Rules,
    /// Length of the text: where the scratch will start.
    pub(crate) base: usize,
    /// Namespace declarations at most so deep are those of the document, not of the record.
    pub(crate) depth: usize,
    /// What is wrong with the record.
    pub(crate) faults: Vec<Fault>,
    /// Elements and attributes passed over.
    pub(crate) ignored: Vec<String>,
    frames: Vec<Frame>,
}

/// An open element.
struct Frame {
    /// Its node; `None` within what is passed over.
    node: Option<usize>,
    text: String,
    nil: bool,
    inner: usize,
}

impl<'a> Stager<'a> {
    pub(crate) fn new(
        plan: &'a mut Plan,
        stage: &'a mut Stage,
        rules: Rules,
        base: usize,
        depth: usize,
    ) -> Self {
        Self {
            plan,
            stage,
            rules,
            base,
            depth,
            faults: Vec::new(),
            ignored: Vec::new(),
            frames: Vec::new(),
        }
    }

    fn fault(&mut self, code: &'static str, path: String, expected: &str, found: &str) {
        self.faults.push(Fault::new(code, path, expected, found));
    }

    fn extra(&mut self, path: String, what: &str) {
        match self.rules.extra {
            Extra::Ignore => self.ignored.push(path),
            Extra::Reject => self.fault("xml.extra", path, "only what the schema has", what),
        }
    }

    fn path(&self, node: usize, name: &str) -> String {
        let above = self.plan.nodes.get(node).map_or("", |n| &n.path);
        if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
    }

    /// The node of an element, or `None` and why not.
    fn find(&mut self, element: &Element<'_>) -> Option<usize> {
        let Some(above) = self.frames.last() else { return Some(0) };
        let parent = above.node?;
        let (leaf, markup) =
            self.plan.nodes.get(parent).map_or((false, false), |n| (n.leaf.is_some(), n.markup));
        if markup {
            return None;
        }
        if leaf {
            let path = self.path(parent, element.local);
            self.extra(path, "an element within a value");
            return None;
        }
        let Some(node) = self.plan.element(parent, &element.uri, element.local) else {
            let path = self.path(parent, element.local);
            self.extra(path, "another element");
            return None;
        };
        if element.declared_at <= self.depth {
            self.plan.learn(parent, element.raw, node);
        }
        Some(node)
    }

    /// Whether elements may stand in it, so that blank text only sets them out.
    fn has_elements(&self, number: usize) -> bool {
        let is_element =
            |n: &usize| self.plan.nodes.get(*n).is_some_and(|n| n.kind == Kind::Element);
        self.plan.nodes.get(number).is_some_and(|node| node.children.iter().any(is_element))
    }

    fn repeated(&mut self, node: usize) {
        let path = self.plan.nodes.get(node).map(|n| n.path.clone()).unwrap_or_default();
        self.fault("xml.repeated", path, "one", "more than one");
    }

    fn attributes(&mut self, node: usize, element: &Element<'_>) {
        for attribute in &element.attributes {
            if attribute.uri == XSI && attribute.local == "nil" {
                continue;
            }
            match self.plan.attribute(node, &attribute.uri, attribute.local) {
                Some(child) => {
                    if !attribute.raw.contains(':') {
                        self.plan.learn_attribute(node, attribute.raw, child);
                    }
                    self.value(child, &attribute.value);
                }
                None => {
                    let path = self.path(node, &format!("@{}", attribute.local));
                    self.extra(path, "another attribute");
                }
            }
        }
    }

    /// Takes a value by way of the scratch.
    fn value(&mut self, number: usize, text: &str) {
        let Some(node) = self.plan.nodes.get(number) else { return };
        if text.len() as u64 > self.rules.field {
            let (path, limit) = (node.path.clone(), self.rules.field);
            return self.fault(
                "core.limit",
                path,
                &format!("at most {limit} bytes, the limit field"),
                "more",
            );
        }
        let span = if self.rules.broken_is_null && text.contains(char::REPLACEMENT_CHARACTER) {
            (0, Spans::MISSING)
        } else {
            self.stage.scratched(text, node.text, self.rules, self.base)
        };
        if !self.stage.place(self.plan, number, span.0, span.1) {
            self.repeated(number);
        }
    }
}

impl Stage {
    /// The place of a value that is put into the scratch.
    pub(crate) fn scratched(
        &mut self,
        text: &str,
        is_text: bool,
        rules: Rules,
        base: usize,
    ) -> (u32, u32) {
        let from = self.scratch.len();
        match rules.trim {
            Trimming::Collapse if is_text => {
                for (n, word) in
                    text.split([' ', '\t', '\n', '\r']).filter(|w| !w.is_empty()).enumerate()
                {
                    if n > 0 {
                        self.scratch.push(' ');
                    }
                    self.scratch.push_str(word);
                }
            }
            _ => self.scratch.push_str(trimmed(text, is_text, rules.trim)),
        }
        if self.scratch.len() == from {
            return (0, if rules.empty_is_null { Spans::MISSING } else { Spans::EMPTY });
        }
        let place = |n: usize| u32::try_from(base + n).unwrap_or(Spans::MISSING);
        (place(from), place(self.scratch.len()))
    }
}

/// A value without the white space that is not part of it.
pub(crate) fn trimmed(text: &str, is_text: bool, trim: Trimming) -> &str {
    const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
    match trim {
        _ if !is_text => text.trim_matches(SPACE),
        Trimming::None => text,
        Trimming::Left => text.trim_start_matches(SPACE),
        Trimming::Right => text.trim_end_matches(SPACE),
        Trimming::Both | Trimming::Collapse => text.trim_matches(SPACE),
    }
}

impl Sink for Stager<'_> {
    fn open(&mut self, element: &Element<'_>, inner: usize) {
        let node = self.find(element);
        let nil = is_nil(element);
        if let Some(number) = node {
            let leaf = self.plan.nodes.get(number).is_some_and(|n| n.leaf.is_some());
            if !leaf && !self.stage.begin(self.plan, number) {
                self.repeated(number);
                self.frames.push(Frame { node: None, text: String::new(), nil, inner });
                return;
            }
            self.attributes(number, element);
        }
        self.frames.push(Frame { node, text: String::new(), nil, inner });
    }

    fn text(&mut self, text: &str) {
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.node.is_some()) {
            frame.text.push_str(text);
        }
    }

    fn close(&mut self, inner: usize) {
        let Some(frame) = self.frames.pop() else { return };
        let Some(number) = frame.node else { return };
        let Some(node) = self.plan.nodes.get(number) else { return };
        if node.markup {
            let place = |n: usize| u32::try_from(n).unwrap_or(Spans::MISSING);
            let (start, end) = (
                place(frame.inner),
                if frame.inner == inner { Spans::EMPTY } else { place(inner) },
            );
            if !self.stage.place(self.plan, number, start, end) {
                self.repeated(number);
            }
        } else if node.leaf.is_some() && frame.nil {
            if !self.stage.place(self.plan, number, 0, Spans::MISSING) {
                self.repeated(number);
            }
        } else if node.leaf.is_some() {
            self.value(number, &frame.text);
        } else {
            let blank = frame.text.bytes().all(crate::chars::is_space);
            match self.plan.own_text(number) {
                Some(child) if !(blank && (frame.nil || self.has_elements(number))) => {
                    self.value(child, &frame.text);
                }
                None if !blank => {
                    let path = self.path(number, crate::plan::TEXT);
                    self.extra(path, "text");
                }
                _ => {}
            }
            if frame.nil {
                self.stage.set_missing(number);
            }
            self.stage.finish(self.plan, number);
        }
    }
}
