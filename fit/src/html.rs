//! The report as one page for people: nothing is loaded from elsewhere, no script runs.
//!
//! Every text is there in Chinese and English; a switch made of style sheets shows either or both. A browser that does not
//! know `:has` shows both.

mod parts;

use std::fmt::Write;

use crate::Words;
use crate::report::Report;
use parts::{contract, footer};

const STYLE: &str = include_str!("html/report.css");

impl Report {
    /// The report as one HTML page that needs no other file.
    #[must_use]
    pub fn html(&self) -> String {
        let mut page = String::with_capacity(32 << 10);
        let title = format!("系统适配报告 Fit report: {}", self.system.name);
        let _ = write!(
            page,
            "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline'\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
            escape(&title)
        );
        self.header(&mut page);
        page.push_str("<main>\n");
        for fit in &self.contracts {
            contract(self, fit, &mut page);
        }
        footer(self, &mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    fn header(&self, page: &mut String) {
        let heading = both("System fit report", "系统适配报告");
        let read = number(self.system.read);
        let about = both(
            &format!("{}, {} records, {} columns", self.day, read, self.system.columns),
            &format!("{}，{} 条记录，{} 列", self.day, read, self.system.columns),
        );
        let _ = writeln!(
            page,
            "<header class=\"top\"><div><div class=\"who\"><h1>{heading}</h1><p>{}</p><p>{about}</p></div>\
             <div class=\"switch\" role=\"radiogroup\" aria-label=\"语言 language\">\
             <input type=\"radio\" name=\"l\" id=\"zh\" checked><label for=\"zh\">中文</label>\
             <input type=\"radio\" name=\"l\" id=\"en\"><label for=\"en\">English</label>\
             <input type=\"radio\" name=\"l\" id=\"both\"><label for=\"both\">对照</label>\
             </div></div></header>",
            escape(&self.system.name)
        );
    }
}

/// A text in both languages.
fn both(en: &str, zh: &str) -> String {
    let (en, zh) = (escape(en), escape(zh));
    format!("<span lang=\"zh\">{zh}</span><span lang=\"en\">{en}</span>")
}

fn words(words: &Words) -> String {
    both(&words.en, &words.zh)
}

/// Text that may come from data or their names.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Digits in groups of three.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
