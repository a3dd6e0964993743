//! What the entry of an information resource in a catalogue says beside its fields.
//!
//! Elements and words are those of the guideline on catalogues of government information resources
//! (政务信息资源目录编制指南（试行）, 发改高技〔2017〕1272号). Chinese words are read as well as the short ones.

use fenhe_rules::Date;
use fenhe_rules::identifiers::{Identifier, Policy};
use serde::{Deserialize, Serialize};

use crate::draft::is_default;

/// The elements of a catalogue entry that concern the resource as a whole. All are optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// 信息资源分类: class, item, category, sub-category, as far as they go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class: Vec<String>,
    /// 信息资源代码: class code, `/`, number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// 信息资源提供方: full name of the department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// 提供方代码: its unified social credit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    /// 信息资源格式.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ResourceFormat>,
    /// 共享属性 of the resource.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sharing: Sharing,
    /// 开放属性.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open: Open,
    /// 发布日期.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Date>,
    /// 关联资源代码.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<String>,
}

/// Format of a resource: the class and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceFormat {
    /// One of the six classes.
    pub class: FormatClass,
    /// The concrete format, such as `dbf` or `Oracle`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// 共享属性.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// 共享类型.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<SharingType>,
    /// 共享条件.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// 共享方式.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<SharingMode>,
}

/// 开放属性.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// 是否向社会开放.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// 开放条件.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

macro_rules! words {
    ($( $(#[$about:meta])* $name:ident { $( $(#[$word_about:meta])* $word:ident = $short:literal, $zh:literal $(, $also:literal)*; )* } )*) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $( $(#[$word_about])*
            #[serde(rename = $short, alias = $zh $(, alias = $also)*)]
            $word, )*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$word),*];

            /// The short word, as contracts have it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => $short,)* }
            }

            /// The Chinese words, as catalogues have them.
            #[must_use]
            pub fn zh(self) -> &'static str {
                match self { $(Self::$word => $zh,)* }
            }

            /// Reads either; blanks around do not matter.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text.trim() {
                    $($short | $zh $(| $also)* => Some(Self::$word),)*
                    _ => None,
                }
            }
        }
    )* };
}

words! {
    /// Classes of formats.
    FormatClass {
        /// Word, PDF, OFD, text.
        Document = "document", "电子文件";
        /// Excel, ET.
        Spreadsheet = "spreadsheet", "电子表格";
        /// dbf, Oracle, MySQL, Dameng and so on.
        Database = "database", "数据库";
        /// jpg, tiff, dwg.
        Image = "image", "图形图像";
        /// mp4, wav.
        Media = "media", "流媒体";
        /// XML, JSON, HTML.
        SelfDescribing = "self_describing", "自描述格式";
    }

    /// Whom a resource is shared with.
    SharingType {
        /// Every department.
        Unconditional = "unconditional", "无条件共享", "无条件";
        /// Departments that have a reason.
        Conditional = "conditional", "有条件共享", "有条件";
        /// None: a law says so.
        None = "none", "不予共享", "不共享";
    }

    /// How a resource is handed over.
    SharingMode {
        /// Tables of a front database.
        Database = "database", "数据库", "库表", "库表交换", "共享平台方式-数据库";
        /// Files through the platform.
        File = "file", "文件", "文件交换", "文件下载", "共享平台方式-文件";
        /// A service that is called.
        Interface = "interface", "接口", "接口调用", "服务接口", "共享平台方式-接口";
        /// Electronic mail.
        Mail = "mail", "邮件";
        /// Copied by hand.
        Copy = "copy", "拷盘";
        /// A medium that is sent.
        Medium = "medium", "介质", "介质交换";
    }

    /// How often data are delivered, from most to least often.
    UpdateCycle {
        /// At once.
        Realtime = "realtime", "实时";
        /// Every day.
        Daily = "daily", "每日", "每天", "日";
        /// Every week.
        Weekly = "weekly", "每周", "周";
        /// Every month.
        Monthly = "monthly", "每月", "月";
        /// Every quarter.
        Quarterly = "quarterly", "每季度", "季度", "季";
        /// Every year.
        Yearly = "yearly", "每年", "年度", "年";
        /// Otherwise; the description says how.
        Other = "other", "其他", "不定期";
    }

    /// Whose business the values of a field are, from least to most.
    Sensitivity {
        /// Anybody's.
        Public = "public", "公开";
        /// The departments'.
        Internal = "internal", "内部";
        /// Personal information.
        Personal = "personal", "个人信息";
        /// Personal information whose leak harms the person.
        Sensitive = "sensitive", "敏感个人信息", "敏感";
    }

    /// Grade of data (GB/T 43697-2024), from least to most.
    Grade {
        /// General data.
        General = "general", "一般数据", "一般";
        /// Important data.
        Important = "important", "重要数据", "重要";
        /// Core data.
        Core = "core", "核心数据", "核心";
    }
}

impl FormatClass {
    /// Whether a resource of this class can be handed over in this mode.
    ///
    /// Reviewers enforce it: a table is shared as a table or by a service, everything else as a file. Data that describe
    /// themselves (XML, JSON) may be either file or service. Media and mail carry anything.
    #[must_use]
    pub fn allows(self, mode: SharingMode) -> bool {
        match mode {
            SharingMode::Database => self == Self::Database,
            SharingMode::Interface => matches!(self, Self::Database | Self::SelfDescribing),
            SharingMode::File => self != Self::Database,
            SharingMode::Mail | SharingMode::Copy | SharingMode::Medium => true,
        }
    }
}

impl Catalogue {
    /// What a reviewer would send the entry back for, in words; empty when there is nothing.
    #[must_use]
    pub fn review(&self, title: &str) -> Vec<String> {
        let mut found = Vec::new();
        if title.trim().is_empty() {
            found.push("the resource has no title (信息资源名称)".to_owned());
        } else if title.ends_with("系统") || title.ends_with("平台") {
            found.push("the title is that of a system, not of its data (信息资源名称)".to_owned());
        }
        if let (Some(format), Some(mode)) = (&self.format, self.sharing.mode)
            && !format.class.allows(mode)
        {
            found.push(format!(
                "a resource of class {} is not shared as {} (信息资源格式, 共享方式)",
                format.class.zh(),
                mode.zh()
            ));
        }
        if self.sharing.kind == Some(SharingType::Conditional) && self.sharing.condition.is_none() {
            found.push("shared on conditions, but none is given (共享条件)".to_owned());
        }
        if self.sharing.kind == Some(SharingType::None) && self.sharing.condition.is_none() {
            found.push("not shared, but no law is named as the reason (共享条件)".to_owned());
        }
        // The day plays no part in such a code.
        let policy = Policy::on(Date::from_days(0)).any_region();
        if let Some(code) = &self.provider_code
            && Identifier::Uscc.check(code.as_bytes(), &policy).is_err()
        {
            found.push(
                "the code of the provider is no unified social credit code (提供方代码)".into(),
            );
        }
        if let Some(code) = &self.code
            && !is_resource_code(code)
        {
            found.push("the resource code is not class code, stroke, number (信息资源代码)".into());
        }
        found
    }
}

/// Class 1 digit, item 2, category 3, then as many as there are; a stroke; the number.
fn is_resource_code(code: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    code.split_once('/').is_some_and(|(class, number)| digits(class) && digits(number))
}
