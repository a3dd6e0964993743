//! Stars in place of characters. A value that has not the form that is expected shows less, never more.

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use fenhe_core::Result;

use super::{Cell, Compiled, Pass, Work, is_blank, spelled};
use crate::step::Mask;

/// Surnames of two characters; a rarer one shows its first character alone.
const COMPOUND: &[&str] = &[
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "端木",
    "夏侯", "司空", "宇文", "长孙", "轩辕", "钟离", "闻人", "东郭", "南宫", "百里", "呼延", "独孤",
    "南门", "西门", "公羊", "澹台", "公冶", "宗政", "濮阳", "淳于", "单于", "太叔", "申屠", "仲孙",
    "赫连", "万俟", "拓跋", "第五", "左丘", "梁丘", "谷梁", "段干", "乐正", "歐陽", "司馬", "諸葛",
    "東方", "尉遲", "公孫", "長孫",
];

/// What ends the name of a township; 街道 and 苏木 come first, as their last characters end other names too.
const TOWNSHIPS: &[&str] = &["街道", "苏木", "乡", "镇"];
const COUNTIES: &[char] = &['县', '区', '旗', '市'];

#[derive(Debug)]
struct Stars(Mask);

pub(super) fn compile(mask: Mask) -> Compiled {
    (Box::new(Stars(mask)), DataType::Utf8)
}

impl Work for Stars {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        let mask = self.0;
        pass.rewrite(&text, None, |text, out| {
            if is_blank(text) {
                return Cell::Same;
            }
            match mask {
                Mask::Name => name(text, out),
                Mask::Address => address(text, out),
                Mask::Id => match text.chars().count() {
                    15 | 18 => keep(text, 6, 4, out),
                    _ => keep(text, 0, 0, out),
                },
                Mask::Phone => match text.chars().count() {
                    11 if text.starts_with('1') => keep(text, 3, 4, out),
                    _ => keep(text, 0, 4, out),
                },
                Mask::BankCard => keep(text, 0, 4, out),
                Mask::Keep(start, end) => keep(text, start, end, out),
            }
            Cell::Written
        })
    }
}

/// So many characters at the ends; all are stars when fewer than as many again would be hidden.
fn keep(text: &str, start: u32, end: u32, out: &mut String) {
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let count = text.chars().count();
    let (start, end) = (size(start), size(end));
    let kept = start.saturating_add(end);
    // With fewer hidden than a third, what is left says nearly everything.
    let hidden = count.saturating_sub(kept);
    let (start, end) = if hidden < kept.div_ceil(3).max(1) { (0, 0) } else { (start, end) };
    for (at, c) in text.chars().enumerate() {
        out.push(if at < start || at >= count - end { c } else { '*' });
    }
}

fn name(text: &str, out: &mut String) {
    let text = text.trim();
    let count = text.chars().count();
    let compound = count > 2 && COMPOUND.iter().any(|surname| text.starts_with(surname));
    let stays = match count {
        0 | 1 => 0,
        _ if compound => 2,
        _ => 1,
    };
    for (at, c) in text.chars().enumerate() {
        out.push(if at < stays { c } else { '*' });
    }
}

/// Down to the township; without one, to the county; without either, nothing.
fn address(text: &str, out: &mut String) {
    let behind = |name: &str| text.find(name).map(|at| at + name.len());
    let township = TOWNSHIPS.iter().filter_map(|name| behind(name)).min();
    let county = || {
        let (at, c) = text.char_indices().rev().find(|(_, c)| COUNTIES.contains(c))?;
        Some(at + c.len_utf8())
    };
    let end = township.or_else(county).unwrap_or(0);
    let (shown, hidden) = text.split_at(end);
    out.push_str(shown);
    if !hidden.trim().is_empty() {
        out.push_str("***");
    }
}
