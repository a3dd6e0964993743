//! Headings of catalogue sheets, in the spellings that are met.

/// A column of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    // Of the item.
    Number,
    Key,
    Title,
    Name,
    Type,
    Length,
    Scale,
    Unit,
    Format,
    Origin,
    Table,
    Required,
    Nullable,
    Sensitivity,
    Grade,
    About,
    // Of the resource.
    Class,
    Resource,
    Code,
    Provider,
    ProviderCode,
    Summary,
    FormatClass,
    FormatKind,
    SharingType,
    SharingCondition,
    SharingMode,
    Open,
    OpenCondition,
    Update,
    Published,
    Related,
}

/// Every column with its headings; the first one is written.
pub(super) const HEADINGS: &[(Column, &[&str])] = &[
    (Column::Class, &["信息资源分类", "资源分类"]),
    (Column::Resource, &["信息资源名称", "资源名称", "目录名称"]),
    (Column::Code, &["信息资源代码", "资源代码", "目录代码"]),
    (Column::Provider, &["信息资源提供方", "提供方", "提供部门", "资源提供方"]),
    (
        Column::ProviderCode,
        &["信息资源提供方代码", "提供方代码", "资源提供方代码", "提供方统一社会信用代码"],
    ),
    (Column::Summary, &["信息资源摘要", "资源摘要", "摘要"]),
    (
        Column::FormatClass,
        &["信息资源格式分类", "信息资源格式", "资源格式", "资源格式分类", "资源格式大类"],
    ),
    (Column::FormatKind, &["信息资源格式类型", "资源格式类型", "资源格式小类", "具体格式"]),
    (Column::Number, &["序号", "编号", "信息项序号"]),
    (Column::Key, &["主键", "是否主键", "主键标识"]),
    (
        Column::Title,
        &[
            "信息项名称",
            "数据项名称",
            "字段中文名",
            "字段中文名称",
            "中文名称",
            "中文名",
            "指标名称",
        ],
    ),
    (
        Column::Name,
        &[
            "字段名称",
            "字段名",
            "字段英文名",
            "字段英文名称",
            "英文名称",
            "英文名",
            "信息项英文名",
            "数据项代码",
        ],
    ),
    (Column::Type, &["数据类型", "字段类型", "类型"]),
    (Column::Length, &["字段长度", "数据长度", "长度"]),
    (Column::Scale, &["小数位数", "小数位", "精度"]),
    (Column::Unit, &["计量单位", "单位"]),
    (Column::Format, &["数据格式", "表示格式"]),
    (Column::Origin, &["数据来源", "来源"]),
    (Column::Table, &["数据字典", "代码表", "引用代码", "字典", "值域", "代码集"]),
    (Column::Required, &["是否必填", "必填", "是否必须", "必填项"]),
    (Column::Nullable, &["是否为空", "允许为空", "可为空", "是否可空", "是否允许为空"]),
    (Column::Sensitivity, &["敏感级别", "敏感程度", "敏感性", "是否敏感"]),
    (Column::Grade, &["数据分级", "数据级别", "分级"]),
    (Column::About, &["说明", "备注", "描述", "信息项说明"]),
    (Column::SharingType, &["共享类型", "共享属性"]),
    (Column::SharingCondition, &["共享条件"]),
    (Column::SharingMode, &["共享方式", "共享方式类型"]),
    (Column::Open, &["是否向社会开放", "是否开放", "开放属性"]),
    (Column::OpenCondition, &["开放条件"]),
    (Column::Update, &["更新周期", "更新频率"]),
    (Column::Published, &["发布日期", "发布时间"]),
    (Column::Related, &["关联资源代码", "关联信息资源代码"]),
];

/// Whether a heading as somebody spelled it means the column that is written under `heading`.
///
/// ```
/// assert!(fenhe_contract::sheet::means("类型（必填）", "数据类型"));
/// ```
#[must_use]
pub fn means(spelled: &str, heading: &str) -> bool {
    Column::of(spelled).is_some_and(|column| column.heading() == heading)
}

impl Column {
    /// The column of a heading: without blanks, marks and what stands in brackets.
    pub(super) fn of(heading: &str) -> Option<Self> {
        let plain: String = heading
            .chars()
            .map(|c| match c {
                '（' => '(',
                '【' => '(',
                '[' => '(',
                other => other,
            })
            .take_while(|c| *c != '(')
            .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊' | ':' | '：' | '/' | '、'))
            .collect();
        HEADINGS.iter().find(|(_, spellings)| spellings.contains(&plain.as_str())).map(|(c, _)| *c)
    }

    /// The heading that is written.
    pub(super) fn heading(self) -> &'static str {
        let found = HEADINGS.iter().find(|(column, _)| *column == self);
        found.and_then(|(_, spellings)| spellings.first()).copied().unwrap_or_default()
    }
}
