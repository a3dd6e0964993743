//! The parts of the page.

use std::fmt::Write;

use super::{both, escape, number, words};
use crate::profile::ratio;
use crate::report::{ContractFit, Item, Quality, Report, Status};
use crate::words::percent;

/// Everything about one contract.
pub(super) fn contract(report: &Report, fit: &ContractFit, page: &mut String) {
    let provider = fit.provider.as_ref().map(|p| format!(" · {}", escape(p))).unwrap_or_default();
    let _ = write!(
        page,
        "<section class=\"contract\"><h2>{}</h2><p class=\"sub\"><code>{} {}</code>{provider}</p>",
        escape(&fit.title),
        escape(&fit.contract),
        escape(&fit.version),
    );
    verdict(fit, page);
    bar(fit, page);
    todo(report, fit, page);
    items(report, fit, page);
    if fit.rows.read > 0 {
        funnel(report, fit, page);
        quality(fit, page);
    }
    unchecked(fit, page);
    let _ = write!(
        page,
        "<details><summary>{}</summary><pre>{}</pre></details>",
        both(
            "For your engineers: the mapping that was used, to be copied into exchange.toml",
            "供技术人员：本次所用的字段映射，可直接复制到 exchange.toml"
        ),
        escape(&fit.mapping)
    );
    page.push_str("</section>\n");
}

/// One sentence.
fn verdict(fit: &ContractFit, page: &mut String) {
    let counts = &fit.counts;
    let (all, there) = (fit.items.len(), counts.supplied + counts.derivable);
    let rows = &fit.rows;
    let share = percent(ratio(rows.deliverable, rows.read));
    let (mut en, mut zh) = (
        format!("Of {all} items asked for, this system can supply <b>{there}</b>"),
        format!("合约要求 {all} 项，本系统可提供 <b>{there}</b> 项。"),
    );
    if rows.read > 0 && there > 0 {
        let (can, read) = (number(rows.deliverable), number(rows.read));
        let _ = write!(en, "; of {read} rows, <b>{can}</b> ({share}) can be delivered");
        let _ = write!(zh, "{read} 行数据中 <b>{can}</b> 行（{share}）可以交付");
        if let Some(condition) = fit.condition() {
            let _ = write!(en, " {}", condition.en);
            let _ = write!(zh, "，{}", condition.zh);
        }
        zh.push('。');
    }
    en.push('.');
    let _ = write!(
        page,
        "<p class=\"verdict\"><span lang=\"zh\">{zh}</span><span lang=\"en\">{en}</span></p>"
    );
}

fn bar(fit: &ContractFit, page: &mut String) {
    let counts = &fit.counts;
    let parts = [
        (Status::Supplied, counts.supplied),
        (Status::Derivable, counts.derivable),
        (Status::Conflicting, counts.conflicting),
        (Status::Missing, counts.missing),
    ];
    page.push_str("<div class=\"bar\" aria-hidden=\"true\">");
    for (status, count) in parts.iter().filter(|(_, count)| *count > 0) {
        let _ = write!(page, "<i class=\"{}\" style=\"flex:{count}\"></i>", class(*status));
    }
    page.push_str("</div><ul class=\"key\">");
    for (status, count) in parts {
        let _ = write!(page, "<li>{} <b>{count}</b></li>", chip(status));
    }
    page.push_str("</ul>");
}

/// What the department has to do, most urgent first.
fn todo(report: &Report, fit: &ContractFit, page: &mut String) {
    let mut list: Vec<String> = Vec::new();
    let open = |required| {
        fit.items
            .iter()
            .filter(move |item| item.status >= Status::Conflicting && item.required == required)
    };
    let held = |item: &&Item| item.conflicts.is_empty() && !item.elsewhere.is_empty();
    for item in open(true).chain(open(false)).filter(|item| !held(item)) {
        list.push(advice(item));
    }
    for quality in fit.quality.iter().filter(|q| q.rejects && q.findings > 0) {
        let (count, examples) = (number(quality.findings), examples(quality));
        let records = if quality.findings == 1 { "record" } else { "records" };
        list.push(both(
            &format!(
                "{}: {count} {records} cannot be delivered: {} ({records} {examples})",
                quality.title, quality.check.en
            ),
            &format!(
                "{}：{count} 行不能交付，未通过“{}”检查，记录号 {examples}",
                quality.title, quality.check.zh
            ),
        ));
    }
    if report.system.unreadable > 0 {
        let count = number(report.system.unreadable);
        list.push(both(
            &format!("{count} records cannot be read and have to be repaired at the source"),
            &format!("{count} 条记录无法读取，需在源系统中修复"),
        ));
    }
    lines(&both("What is needed from you", "需要贵单位处理"), &list, page);
    let again: Vec<String> = open(true).chain(open(false)).filter(held).map(elsewhere).collect();
    if !again.is_empty() {
        let heading = both(
            "Held elsewhere already: need not be collected again",
            "其他系统已有，无需重复采集",
        );
        lines(&heading, &again, page);
    }
}

fn lines(heading: &str, list: &[String], page: &mut String) {
    let _ = write!(page, "<h3>{heading}</h3>");
    if list.is_empty() {
        let _ = write!(page, "<p class=\"calm\">{}</p>", both("Nothing.", "无。"));
        return;
    }
    page.push_str("<ol class=\"todo\">");
    for line in list {
        let _ = write!(page, "<li>{line}</li>");
    }
    page.push_str("</ol>");
}

fn elsewhere(item: &Item) -> String {
    let systems = |between| {
        item.elsewhere.iter().map(|held| held.system.as_str()).collect::<Vec<_>>().join(between)
    };
    both(
        &format!("{}: {}", item.title, systems(", ")),
        &format!("{}：{}", item.title, systems("、")),
    )
}

fn advice(item: &Item) -> String {
    let must = if item.required { (" (required)", "（必填）") } else { ("", "") };
    let title = &item.title;
    if let Some(conflict) = item.conflicts.first() {
        let from = item.from.join(", ");
        return both(
            &format!("{title}{}: column {from} does not fit: {}", must.0, conflict.words.en),
            &format!("{title}{}：列 {from} 不符合要求，{}", must.1, conflict.words.zh),
        );
    }
    both(
        &format!("{title}{}: not in this system", must.0),
        &format!("{title}{}：本系统没有", must.1),
    )
}

fn items(report: &Report, fit: &ContractFit, page: &mut String) {
    let _ = write!(page, "<h3>{}</h3>", both("Item by item", "逐项对照"));
    let heads = [
        ("Item", "信息项"),
        ("Wanted", "要求"),
        ("Status", "状态"),
        ("From column", "来自"),
        ("Filled", "填写率"),
        ("Remarks", "说明"),
    ];
    page.push_str("<table class=\"cards items\"><thead><tr>");
    for (at, (en, zh)) in heads.iter().enumerate() {
        let class = if at == 4 { " class=\"n\"" } else { "" };
        let _ = write!(page, "<th{class}>{}</th>", both(en, zh));
    }
    page.push_str("</tr></thead><tbody>");
    for item in &fit.items {
        let must = match item.required {
            true => format!("<span class=\"must\">{}</span>", both("required", "必填")),
            false => String::new(),
        };
        let from = item.from.iter().map(|c| escape(c)).collect::<Vec<_>>().join(", ");
        let native = match (&item.native, item.from.is_empty()) {
            (Some(native), false) => format!(" <code>{}</code>", escape(native)),
            _ => String::new(),
        };
        let filled = item.filled.filter(|_| !item.from.is_empty()).map(percent).unwrap_or_default();
        let cells = [
            (
                "",
                format!(
                    "<span class=\"name\">{}</span>{must}<code>{}</code>",
                    escape(&item.title),
                    escape(&item.name)
                ),
            ),
            ("", format!("{}<code>{}</code>", words(&item.wanted), escape(&item.kind))),
            ("", chip(item.status)),
            ("", format!("{from}{native}")),
            (" class=\"n\"", filled),
            ("", remarks(report, item)),
        ];
        page.push_str("<tr>");
        for ((class, cell), (en, zh)) in cells.iter().zip(heads) {
            let cell = if cell.is_empty() { "" } else { cell };
            let inner = match cell {
                "" => String::new(),
                cell => format!("<div>{cell}</div>"),
            };
            let _ = write!(page, "<td{class} data-en=\"{en}\" data-zh=\"{zh}\">{inner}</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table>");
}

fn remarks(report: &Report, item: &Item) -> String {
    let mut text = String::new();
    for conflict in &item.conflicts {
        let _ = write!(text, "<span class=\"note bad\">{}</span>", words(&conflict.words));
    }
    for step in &item.conversion {
        let _ = write!(text, "<span class=\"note\">{}</span>", words(step));
    }
    if let Some(reason) = item.reasons.first().filter(|_| item.conversion.is_empty()) {
        let _ = write!(text, "<span class=\"note\">{}</span>", words(reason));
    }
    for held in &item.elsewhere {
        let line = both(
            &format!("{} holds it already ({})", held.system, held.column),
            &format!("{} 已有（{}）", held.system, held.column),
        );
        let _ = write!(text, "<span class=\"note\">{line}</span>");
    }
    let nowhere = item.status == Status::Missing && item.elsewhere.is_empty();
    if nowhere && !report.others.is_empty() {
        let line = both("no connected system holds it", "其他已接入系统也没有");
        let _ = write!(text, "<span class=\"note\">{line}</span>");
    }
    text
}

/// From the records of the system to rows without any finding.
fn funnel(report: &Report, fit: &ContractFit, page: &mut String) {
    let rows = &fit.rows;
    let _ = write!(page, "<h3>{}</h3><div class=\"funnel\">", both("The rows", "数据行"));
    let converted = rows.read - rows.unconverted;
    let steps = [
        ("records", "记录", report.system.read),
        ("can be read", "可读取", rows.read),
        ("can be converted", "可转换", converted),
        ("can be delivered", "可交付", rows.deliverable),
        ("without any remark", "无任何问题", rows.faultless),
    ];
    for (at, (en, zh, count)) in steps.iter().enumerate() {
        let share = ratio(*count, report.system.read) * 100.0;
        let last = if at + 1 == steps.len() { " class=\"last\"" } else { "" };
        let _ = write!(
            page,
            "<div><span class=\"l\">{}</span><span class=\"t\"><i{last} style=\"width:{share:.2}%\"></i></span><b>{}</b></div>",
            both(en, zh),
            number(*count)
        );
    }
    page.push_str("</div>");
}

fn quality(fit: &ContractFit, page: &mut String) {
    let found: Vec<&Quality> = fit.quality.iter().filter(|q| q.findings > 0).collect();
    let clean = fit.quality.len() - found.len();
    let _ = write!(page, "<h3>{}</h3>", both("Quality of the rows, by rule", "按规则的数据质量"));
    if !found.is_empty() {
        let heads = [
            ("Item", "信息项"),
            ("Check", "检查"),
            ("Rows", "问题行"),
            ("Effect", "影响"),
            ("Records", "记录号示例"),
        ];
        page.push_str("<table class=\"cards\"><thead><tr>");
        for (at, (en, zh)) in heads.iter().enumerate() {
            let class = if at == 2 { " class=\"n\"" } else { "" };
            let _ = write!(page, "<th{class}>{}</th>", both(en, zh));
        }
        page.push_str("</tr></thead><tbody>");
        for quality in found {
            let (stop, effect) = match quality.rejects {
                true => ("stop", both("not delivered", "不交付")),
                false => ("", both("delivered, counted", "交付并计数")),
            };
            let width = (quality.share * 100.0).max(2.0);
            let cells = [
                format!("<span class=\"name\">{}</span>", escape(&quality.title)),
                format!("{} <code>{}</code>", words(&quality.check), escape(&quality.code)),
                format!(
                    "{} · {}<span class=\"meter\"><i style=\"width:{width:.1}%\"></i></span>",
                    number(quality.findings),
                    percent(quality.share)
                ),
                effect,
                examples(quality),
            ];
            let _ = write!(page, "<tr class=\"{stop}\">");
            for (at, (cell, (en, zh))) in cells.iter().zip(heads).enumerate() {
                let class = if at == 2 { " class=\"n\"" } else { "" };
                let _ = write!(
                    page,
                    "<td{class} data-en=\"{en}\" data-zh=\"{zh}\"><div>{cell}</div></td>"
                );
            }
            page.push_str("</tr>");
        }
        page.push_str("</tbody></table>");
    }
    if clean > 0 {
        let line = both(
            &format!("{clean} further checks found nothing."),
            &format!("另有 {clean} 项检查未发现问题。"),
        );
        let _ = write!(page, "<p class=\"sub\">{line}</p>");
    }
}

fn unchecked(fit: &ContractFit, page: &mut String) {
    if fit.unchecked.is_empty() {
        return;
    }
    let _ = write!(page, "<h3>{}</h3><ul>", both("Not checked", "未检查"));
    for line in &fit.unchecked {
        let _ = write!(page, "<li>{}</li>", escape(line));
    }
    page.push_str("</ul>");
}

/// What concerns all contracts.
pub(super) fn footer(report: &Report, page: &mut String) {
    page.push_str("<footer>");
    if !report.unasked.is_empty() {
        let names = report.unasked.join(", ");
        let line = both(
            &format!("Columns that nobody asks for, they stay where they are: {names}"),
            &format!("没有合约要求的列，无需提供：{names}"),
        );
        let _ = write!(page, "<p>{line}</p>");
    }
    if !report.others.is_empty() {
        let names = report.others.join(", ");
        let line = both(
            &format!("Other systems that were asked: {names}"),
            &format!("同时查看的其他系统：{names}"),
        );
        let _ = write!(page, "<p>{line}</p>");
    }
    let line = both(
        "This report holds counts and record numbers, no values.",
        "本报告只含计数和记录号，不含任何数据值。",
    );
    let _ = write!(page, "<p>{line}</p>");
    for fit in &report.contracts {
        let _ = write!(
            page,
            "<p><code>{} {} sha256:{}</code></p>",
            escape(&fit.contract),
            escape(&fit.version),
            fit.hash.get(..16).unwrap_or(&fit.hash)
        );
    }
    let _ = writeln!(page, "<p><code>fenhe {}</code></p></footer>", report.tool);
}

fn chip(status: Status) -> String {
    let (en, zh) = match status {
        Status::Supplied => ("supplied", "可直接提供"),
        Status::Derivable => ("after conversion", "转换后提供"),
        Status::Conflicting => ("conflict", "有冲突"),
        Status::Missing => ("missing", "缺失"),
    };
    format!("<span class=\"chip {}\"><span>{}</span></span>", class(status), both(en, zh))
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Supplied => "supplied",
        Status::Derivable => "derivable",
        Status::Conflicting => "conflicting",
        Status::Missing => "missing",
    }
}

fn examples(quality: &Quality) -> String {
    let numbers: Vec<String> = quality.examples.iter().map(|n| number(*n)).collect();
    let more = quality.findings > quality.examples.len() as u64;
    format!("{}{}", numbers.join(", "), if more { " …" } else { "" })
}
