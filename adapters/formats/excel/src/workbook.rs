//! What a workbook holds: its sheets and tables, strings, styles and epoch.

use std::sync::Arc;

use fenhe_core::{Limits, ReadAt, Result};

use crate::cells::{Area, Rows};
use crate::container::{Container, read};
use crate::dates::Epoch;
use crate::error::{damaged, encrypted, not_a_workbook};
use crate::sheet::Sheet as XlsxSheet;
use crate::slow::{Events, Node, attribute};
use crate::strings::Strings;
use crate::styles::Styles;
use crate::xls::Xls;
use crate::xlsb::{self, XlsbSheet};

/// An opened workbook of any of the three kinds.
#[derive(Clone, Debug)]
pub(crate) struct Workbook {
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) strings: Arc<Strings>,
    pub(crate) styles: Arc<Styles>,
    pub(crate) epoch: Epoch,
    /// What was left out, for people.
    pub(crate) notes: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) body: Body,
}

/// Where the cells are.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Xlsx(Container),
    Xlsb(Container),
    Xls(Arc<Xls>),
}

/// One worksheet.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    /// Its part, in a container.
    pub(crate) part: String,
    /// Its offset in the workbook stream, in an xls file.
    pub(crate) offset: u64,
}

/// A table (list object) on a sheet.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) area: Area,
    pub(crate) header: bool,
    pub(crate) totals: u32,
}

/// What stands around the rows of a sheet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    pub(crate) merged: Vec<Area>,
    pub(crate) hidden_columns: Vec<(u16, u16)>,
}

impl Workbook {
    /// Opens a workbook by what its first bytes say it is.
    pub(crate) fn open(object: Arc<dyn ReadAt>, limits: &Limits) -> Result<Self> {
        let head = read(object.as_ref(), 0, object.size().min(8))?;
        if head.starts_with(b"PK") {
            return Self::open_container(Container::open(object, limits)?, limits);
        }
        if head == b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" {
            return Xls::open(object, limits);
        }
        if matches!(head.get(..2), Some(b"\x09\x08" | b"\x09\x04" | b"\x09\x02" | b"\x09\x00")) {
            return Xls::open_bare(object, limits);
        }
        Err(not_a_workbook())
    }

    fn open_container(container: Container, limits: &Limits) -> Result<Self> {
        if container.has("EncryptedPackage") {
            return Err(encrypted());
        }
        let main = main_part(&container)?;
        let related = relations(&container, &main)?;
        if main.to_ascii_lowercase().ends_with(".bin") {
            return xlsb::open(container, &main, &related, limits);
        }
        let of_type = |kind: &str| {
            let relation = related.iter().find(|r| r.kind.ends_with(kind))?;
            container.has(&relation.target).then_some(relation.target.as_str())
        };
        let strings = match of_type("/sharedStrings") {
            Some(part) => Strings::read(&container, part, limits)?,
            None => Strings::default(),
        };
        let styles = match of_type("/styles") {
            Some(part) => Styles::read(&container, part)?,
            None => Styles::default(),
        };
        let (sheets, epoch, notes) = sheets(&container, &main, &related, limits)?;
        Ok(Self {
            sheets,
            strings: Arc::new(strings),
            styles: Arc::new(styles),
            epoch,
            notes,
            limits: limits.clone(),
            body: Body::Xlsx(container),
        })
    }

    /// Starts reading the rows of a sheet.
    pub(crate) fn rows(&self, sheet: &Sheet) -> Result<Box<dyn Rows>> {
        Ok(match &self.body {
            Body::Xlsx(container) => {
                Box::new(XlsxSheet::open(container.part(&sheet.part)?, &self.limits)?)
            }
            Body::Xlsb(container) => {
                Box::new(XlsbSheet::open(container.part(&sheet.part)?, &self.limits)?)
            }
            Body::Xls(xls) => Box::new(xls.sheet(sheet.offset)?),
        })
    }

    /// Merged cells and hidden columns of a sheet: it is read to its end for them, as they stand behind the rows.
    pub(crate) fn around(&self, sheet: &Sheet) -> Result<Around> {
        match &self.body {
            Body::Xlsx(container) => XlsxSheet::around(container.part(&sheet.part)?, &self.limits),
            Body::Xlsb(container) => XlsbSheet::around(container.part(&sheet.part)?, &self.limits),
            Body::Xls(xls) => xls.around(sheet.offset),
        }
    }

    /// The tables of a sheet.
    pub(crate) fn tables(&self, sheet: &Sheet) -> Result<Vec<Table>> {
        let container = match &self.body {
            Body::Xlsx(container) | Body::Xlsb(container) => container,
            Body::Xls(_) => return Ok(Vec::new()),
        };
        let mut tables = Vec::new();
        for relation in relations(container, &sheet.part)? {
            if relation.kind.ends_with("/table") {
                tables.extend(match &self.body {
                    Body::Xlsb(_) => xlsb::table(container, &relation.target, &self.limits)?,
                    _ => table(container, &relation.target)?,
                });
            }
        }
        Ok(tables)
    }
}

/// One relation of a part.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) target: String,
}

/// The relations of a part; none when there is no such part.
pub(crate) fn relations(container: &Container, part: &str) -> Result<Vec<Relation>> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let name = format!("{folder}/_rels/{file}.rels");
    if !container.has(&name) {
        return Ok(Vec::new());
    }
    let text = container.text(&name)?;
    let mut events = Events::new(&text, &name, 0);
    let mut found = Vec::new();
    while let Some(node) = events.next()? {
        let Node::Open(start, _) = node else { continue };
        if start.local_name().as_ref() == "Relationship"
            && let (Some(id), Some(kind), Some(target)) =
                (attribute(&start, "Id"), attribute(&start, "Type"), attribute(&start, "Target"))
        {
            found.push(Relation { id, kind, target: resolve(folder, &target) });
        }
    }
    Ok(found)
}

/// A target relative to the folder of its part.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|s| !s.is_empty()).collect();
    for step in target.split('/') {
        match step {
            ".." => drop(steps.pop()),
            "." | "" => {}
            _ => steps.push(step),
        }
    }
    steps.join("/")
}

fn main_part(container: &Container) -> Result<String> {
    let found = relations(container, "")?;
    let main = found.into_iter().find(|r| r.kind.ends_with("/officeDocument")).map(|r| r.target);
    let usual = ["xl/workbook.xml", "xl/workbook.bin"];
    main.filter(|part| container.has(part))
        .or_else(|| usual.iter().find(|p| container.has(p)).map(|p| (*p).to_owned()))
        .ok_or_else(|| damaged("the container", "there is no workbook in it", 0))
}

fn sheets(
    container: &Container,
    main: &str,
    related: &[Relation],
    limits: &Limits,
) -> Result<(Vec<Sheet>, Epoch, Vec<String>)> {
    let text = container.text(main)?;
    let mut events = Events::new(&text, main, 0);
    let (mut sheets, mut epoch, mut notes) = (Vec::new(), Epoch::Of1900, Vec::new());
    while let Some(node) = events.next()? {
        let Node::Open(start, _) = node else { continue };
        match start.local_name().as_ref() {
            "workbookPr" => {
                if matches!(attribute(&start, "date1904").as_deref(), Some("1" | "true")) {
                    epoch = Epoch::Of1904;
                }
            }
            "sheet" => {
                let name = attribute(&start, "name").unwrap_or_default();
                let state = attribute(&start, "state").unwrap_or_default();
                let relation = attribute(&start, "id")
                    .and_then(|id| related.iter().find(|r| r.id == id))
                    .ok_or_else(|| damaged(main, "a sheet has no part", events.at()))?;
                Limits::check("entries", limits.entries, sheets.len() as u64 + 1)
                    .map_err(|e| e.at_offset(events.at()))?;
                if relation.kind.ends_with("/worksheet") {
                    let hidden = matches!(state.as_str(), "hidden" | "veryHidden");
                    sheets.push(Sheet { name, hidden, part: relation.target.clone(), offset: 0 });
                } else {
                    notes.push(format!("sheet {name} holds no cells (chart, dialogue or macro)"));
                }
            }
            _ => {}
        }
    }
    Ok((sheets, epoch, notes))
}

fn table(container: &Container, part: &str) -> Result<Option<Table>> {
    let text = container.text(part)?;
    let mut events = Events::new(&text, part, 0);
    while let Some(node) = events.next()? {
        let Node::Open(start, _) = node else { continue };
        let number = |name| attribute(&start, name).and_then(|n| n.parse::<u32>().ok());
        let name = attribute(&start, "displayName").or_else(|| attribute(&start, "name"));
        let area = attribute(&start, "ref").and_then(|r| Area::parse(&r));
        return Ok(name.zip(area).map(|(name, area)| Table {
            name,
            area,
            header: number("headerRowCount") != Some(0),
            totals: number("totalsRowCount").unwrap_or(0),
        }));
    }
    Ok(None)
}
