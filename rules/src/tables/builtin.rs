//! The short tables that nearly every exchange needs. Long ones (regions, countries, occupations) change
//! every year and are data of the caller.

use super::nationality::NATIONALITIES;
use super::{Code, CodeTable};
use crate::Date;

/// GB/T 4658-2006 took effect on this day.
const EDUCATION_2006: Option<Date> = Date::from_civil(2007, 3, 1);
const EDUCATION_1984_END: Option<Date> = Date::from_civil(2007, 2, 28);

const SEX: &[(&str, &str)] =
    &[("0", "未知的性别"), ("1", "男性"), ("2", "女性"), ("9", "未说明的性别")];

const MARITAL: &[(&str, &str)] = &[
    ("10", "未婚"),
    ("20", "已婚"),
    ("21", "初婚"),
    ("22", "再婚"),
    ("23", "复婚"),
    ("30", "丧偶"),
    ("40", "离婚"),
    ("90", "未说明的婚姻状况"),
];

/// Levels; 50 is of the edition of 1984 alone, 90 changed its meaning.
const EDUCATION_LEVELS: &[(&str, &str)] = &[
    ("10", "研究生教育"),
    ("20", "大学本科教育"),
    ("30", "大学专科教育"),
    ("40", "中等职业教育"),
    ("60", "普通高级中学教育"),
    ("70", "初级中学教育"),
    ("80", "小学教育"),
];

const EDUCATION: &[(&str, &str)] = &[
    ("11", "博士研究生毕业"),
    ("12", "博士研究生结业"),
    ("13", "博士研究生肄业"),
    ("14", "硕士研究生毕业"),
    ("15", "硕士研究生结业"),
    ("16", "硕士研究生肄业"),
    ("17", "研究生班毕业"),
    ("18", "研究生班结业"),
    ("19", "研究生班肄业"),
    ("21", "大学本科毕业"),
    ("22", "大学本科结业"),
    ("23", "大学本科肄业"),
    ("28", "大学普通班毕业"),
    ("31", "大学专科毕业"),
    ("32", "大学专科结业"),
    ("33", "大学专科肄业"),
    ("41", "中等专科毕业"),
    ("42", "中等专科结业"),
    ("43", "中等专科肄业"),
    ("44", "职业高中毕业"),
    ("45", "职业高中结业"),
    ("46", "职业高中肄业"),
    ("47", "技工学校毕业"),
    ("48", "技工学校结业"),
    ("49", "技工学校肄业"),
    ("61", "普通高中毕业"),
    ("62", "普通高中结业"),
    ("63", "普通高中肄业"),
    ("71", "初中毕业"),
    ("73", "初中肄业"),
    ("81", "小学毕业"),
    ("83", "小学肄业"),
];

const POLITICAL: &[(&str, &str)] = &[
    ("01", "中国共产党党员"),
    ("02", "中国共产党预备党员"),
    ("03", "中国共产主义青年团团员"),
    ("04", "中国国民党革命委员会会员"),
    ("05", "中国民主同盟盟员"),
    ("06", "中国民主建国会会员"),
    ("07", "中国民主促进会会员"),
    ("08", "中国农工民主党党员"),
    ("09", "中国致公党党员"),
    ("10", "九三学社社员"),
    ("11", "台湾民主自治同盟盟员"),
    ("12", "无党派民主人士"),
    ("13", "群众"),
];

const PROVINCES: &[(&str, &str)] = &[
    ("11", "北京市"),
    ("12", "天津市"),
    ("13", "河北省"),
    ("14", "山西省"),
    ("15", "内蒙古自治区"),
    ("21", "辽宁省"),
    ("22", "吉林省"),
    ("23", "黑龙江省"),
    ("31", "上海市"),
    ("32", "江苏省"),
    ("33", "浙江省"),
    ("34", "安徽省"),
    ("35", "福建省"),
    ("36", "江西省"),
    ("37", "山东省"),
    ("41", "河南省"),
    ("42", "湖北省"),
    ("43", "湖南省"),
    ("44", "广东省"),
    ("45", "广西壮族自治区"),
    ("46", "海南省"),
    ("50", "重庆市"),
    ("51", "四川省"),
    ("52", "贵州省"),
    ("53", "云南省"),
    ("54", "西藏自治区"),
    ("61", "陕西省"),
    ("62", "甘肃省"),
    ("63", "青海省"),
    ("64", "宁夏回族自治区"),
    ("65", "新疆维吾尔自治区"),
    ("71", "台湾省"),
    ("81", "香港特别行政区"),
    ("82", "澳门特别行政区"),
];

impl CodeTable {
    /// Names of the built-in tables.
    pub const BUILT_IN: [&'static str; 7] = [
        "gbt2261.1",
        "gbt2261.2",
        "gbt3304",
        "gbt3304.letters",
        "gbt4658",
        "gbt4762",
        "gbt2260.provinces",
    ];

    /// The built-in table of this name; see [`BUILT_IN`](Self::BUILT_IN).
    ///
    /// ```
    /// use fenhe_rules::CodeTable;
    /// let nationalities = CodeTable::built_in("gbt3304").unwrap();
    /// assert_eq!(nationalities.get("04", None).unwrap().title, "藏族");
    /// let letters = CodeTable::built_in("gbt3304.letters").unwrap();
    /// assert_eq!(letters.titled("藏族", None).unwrap().code, "ZA");
    /// ```
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (source, codes) = match name {
            "gbt2261.1" => ("GB/T 2261.1-2003 性别", sex()),
            "gbt2261.2" => ("GB/T 2261.2-2003 婚姻状况", plain(MARITAL)),
            "gbt3304" => ("GB/T 3304-1991 民族", nationalities(false)),
            "gbt3304.letters" => ("GB/T 3304-1991 民族, 字母代码", nationalities(true)),
            "gbt4658" => ("GB/T 4658-2006 学历, levels also of GB 4658-1984", education()),
            "gbt4762" => ("GB/T 4762-1984 政治面貌", plain(POLITICAL)),
            "gbt2260.provinces" => ("GB/T 2260 省级", provinces()),
            _ => return None,
        };
        Self::new(name, source, codes).ok()
    }
}

fn plain(list: &[(&str, &str)]) -> Vec<Code> {
    list.iter().map(|(code, title)| Code::new(*code, *title)).collect()
}

fn sex() -> Vec<Code> {
    let mut codes = plain(SEX);
    for code in &mut codes {
        if let Some(short) = code.title.strip_suffix('性') {
            code.also = vec![short.to_owned()];
        }
    }
    codes
}

fn provinces() -> Vec<Code> {
    let mut codes = plain(PROVINCES);
    for code in &mut codes {
        code.valid_from = match code.code.as_str() {
            "46" => Date::from_civil(1988, 4, 13),
            "50" => Date::from_civil(1997, 3, 14),
            "81" => Date::from_civil(1997, 7, 1),
            "82" => Date::from_civil(1999, 12, 20),
            _ => None,
        };
    }
    codes
}

fn education() -> Vec<Code> {
    let mut codes = plain(EDUCATION_LEVELS);
    codes.extend(EDUCATION.iter().map(|(code, title)| Code {
        parent: Some(format!("{}0", code.get(..1).unwrap_or_default())),
        ..Code::new(*code, *title).valid(EDUCATION_2006, None)
    }));
    codes.push(Code::new("50", "技工学校").valid(None, EDUCATION_1984_END));
    codes.push(Code::new("90", "文盲或半文盲").valid(None, EDUCATION_1984_END));
    codes.push(Code::new("90", "其他").valid(EDUCATION_2006, None));
    codes
}

fn nationalities(letters: bool) -> Vec<Code> {
    let entry = |&(code, letter, title, also): &(&str, &str, &str, &[&str])| Code {
        also: also
            .iter()
            .map(|&other| other.to_owned())
            .chain(title.strip_suffix('族').map(str::to_owned))
            .collect(),
        ..Code::new(if letters { letter } else { code }, title)
    };
    let named = |row: &&(&str, &str, &str, &[&str])| !(letters && row.1.is_empty());
    NATIONALITIES.iter().filter(named).map(entry).collect()
}
