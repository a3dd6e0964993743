//! Names under which departments keep the same thing: pinyin initials, English words, titles.

/// Each line is one thing.
const SAME: &[&[&str]] = &[
    &[
        "gmsfhm",
        "sfzh",
        "sfzhm",
        "sfzjhm",
        "zjhm",
        "certno",
        "idcard",
        "idno",
        "idnumber",
        "personid",
        "citizenid",
        "公民身份号码",
        "公民身份证号码",
        "身份证号",
        "身份证号码",
        "身份证件号码",
        "证件号码",
        "身份证",
    ],
    &["xm", "name", "psnname", "fullname", "personname", "姓名"],
    &["xb", "xbdm", "sex", "gender", "sexcode", "性别", "性别代码"],
    &[
        "csrq",
        "birth",
        "birthday",
        "birthdate",
        "dateofbirth",
        "dob",
        "brdy",
        "出生日期",
        "出生年月日",
        "出生年月",
    ],
    &[
        "mz",
        "mzdm",
        "nation",
        "ethnic",
        "ethniccode",
        "nationalitycode",
        "naty",
        "民族",
        "民族代码",
    ],
    &[
        "xzqh",
        "xzqhdm",
        "region",
        "regioncode",
        "areacode",
        "division",
        "admdvs",
        "行政区划",
        "行政区划代码",
        "所属区划",
    ],
    &[
        "zz",
        "zd",
        "dz",
        "jzdz",
        "jzd",
        "xzz",
        "address",
        "addr",
        "住址",
        "地址",
        "居住地址",
        "现住址",
        "居住地",
    ],
    &["hjdz", "hjdzz", "domicile", "户籍地址", "户籍地", "户籍地详址"],
    &[
        "lxdh",
        "dh",
        "sjh",
        "sjhm",
        "lxfs",
        "phone",
        "mobile",
        "tel",
        "telephone",
        "联系电话",
        "电话",
        "手机号",
        "手机号码",
        "联系方式",
    ],
    &["hh", "hkbh", "hkh", "householdno", "householdid", "户号", "户口编号"],
    &["hz", "hj", "sfhz", "householder", "headofhousehold", "户主", "是否户主"],
    &["yhzgx", "yhzgxdm", "relation", "与户主关系", "与户主关系代码"],
    &["hyzk", "hyzkdm", "marital", "maritalstatus", "婚姻状况", "婚姻状况代码"],
    &["xl", "xldm", "whcd", "education", "educationcode", "学历", "学历代码", "文化程度"],
    &["zzmm", "zzmmdm", "political", "politicalstatus", "政治面貌", "政治面貌代码"],
    &["zy", "zydm", "occupation", "职业", "职业代码"],
    &["gj", "gjdm", "country", "nationality", "国籍", "国籍代码"],
    &["swrq", "deathdate", "dateofdeath", "死亡日期"],
    &["nsr", "sr", "income", "annualincome", "年收入", "收入"],
    &["je", "amt", "amount", "fee", "yjje", "金额", "应缴金额", "缴费金额"],
    &["due", "duedate", "jfqx", "jfrq", "缴费期限", "应缴日期"],
    &["bz", "remark", "remarks", "note", "memo", "备注", "说明"],
    &["tyshxydm", "tyxydm", "xydm", "uscc", "creditcode", "统一社会信用代码", "社会信用代码"],
    &[
        "zzjgdm",
        "jgdm",
        "orgcode",
        "organisationcode",
        "organizationcode",
        "组织机构代码",
        "机构代码",
    ],
    &["nsrsbh", "taxpayerid", "taxno", "纳税人识别号"],
    &["nsrmc", "taxpayername", "纳税人名称"],
    &[
        "dwmc",
        "qymc",
        "jgmc",
        "orgname",
        "companyname",
        "enterprise",
        "单位名称",
        "企业名称",
        "机构名称",
    ],
    &["fddbr", "frdb", "legalperson", "legalrepresentative", "法定代表人", "法人代表"],
    &["zczb", "zczj", "capital", "registeredcapital", "注册资本", "注册资金"],
    &["jyfw", "scope", "businessscope", "经营范围"],
    &["djrq", "registered", "registrationdate", "登记日期", "成立日期", "clrq"],
    &["yhzh", "yhkh", "bankcard", "bankaccount", "account", "银行账号", "银行卡号", "开户账号"],
    &["lsh", "serial", "serialno", "流水号"],
    &["gxsj", "updated", "updatetime", "lastmodified", "更新时间", "最后更新时间"],
];

/// A name without case, blanks, strokes and what stands in brackets.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .take_while(|c| !matches!(c, '(' | '（'))
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether two names are known to mean the same.
pub(crate) fn same_thing(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    SAME.iter().any(|names| names.contains(&a.as_str()) && names.contains(&b.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinyin_initials_mean_what_their_titles_say() {
        for (initials, title) in [
            ("XM", "姓名"),
            ("SFZH", "公民身份号码"),
            ("GMSFHM", "person_id"),
            ("CSRQ", "出生日期"),
            ("XBDM", "性别"),
            ("NSRSBH", "纳税人识别号"),
            ("TYSHXYDM", "统一社会信用代码"),
        ] {
            assert!(same_thing(initials, title), "{initials} {title}");
        }
        assert!(!same_thing("XM", "XB"));
    }

    #[test]
    fn every_name_is_in_one_line() {
        let mut seen = std::collections::BTreeSet::new();
        for name in SAME.iter().flat_map(|names| names.iter()) {
            assert!(seen.insert(name), "{name}");
            assert_eq!(plain(name), *name);
        }
    }
}
