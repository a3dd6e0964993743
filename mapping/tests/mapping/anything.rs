//! Whatever stands in a column, no row is lost and nothing panics.

use fenhe_core::Secret;
use fenhe_mapping::Context;
use proptest::prelude::*;

use crate::support::*;

const STEPS: [&str; 24] = [
    "\"trim\"",
    "{ trim = \"start\" }",
    "\"half_width\"",
    "\"full_width\"",
    "\"upper\"",
    "\"lower\"",
    "\"absent\"",
    "{ replace = \"1\", with = \"11\" }",
    "{ match = '\\d*' }",
    "{ extract = '\\d+' }",
    "{ split = \"-\", part = -2 }",
    "{ cut = [2, 4] }",
    "\"date\"",
    "{ date = [\"YYMMDD\", \"excel\", \"YYYY年M月D日\"], pivot = 30 }",
    "{ unit = \"亿元\", to = \"分\" }",
    "{ scale = \"-0.001\" }",
    "{ code = \"gbt3304\", otherwise = \"keep\" }",
    "\"plain_id\"",
    "\"upgrade_id\"",
    "{ derive = \"birth_date\", otherwise = \"null\" }",
    "{ mask = \"name\" }",
    "{ mask = \"address\" }",
    "{ mask = [3, 4] }",
    "{ hash = \"hmac-sm3\", key = \"env:K\" }",
];

/// Text of the kinds that are met, and of any other kind.
fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "[0-9]{15}".prop_map(Some),
        "[0-9]{17}[0-9xX]".prop_map(Some),
        "[0-9]{4}[-./年]?[0-9]{1,2}[-./月]?[0-9]{1,2}日?".prop_map(Some),
        "-?[0-9]{1,40}(\\.[0-9]{1,9})?".prop_map(Some),
        "[ \u{3000}\0\tＡ１a-c省市区县乡镇欧阳张三-]{0,12}".prop_map(Some),
        any::<String>().prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_row_is_mapped_or_told_once(values in prop::collection::vec(value(), 0..12)) {
        let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        let rows = batch(&[("A", text(&values))]);
        let mut context = Context::default();
        context.secrets.insert("env:K".into(), Secret::new("0123456789abcdef"));
        for step in STEPS {
            let mapping = format!("[fields]\na = {{ from = \"A\", steps = [{step}] }}\nb = \"A\"");
            let mapped = map_with(&mapping, &rows, &context);
            prop_assert_eq!(mapped.records.num_rows() + mapped.faults.len(), values.len(), "{}", step);
            let kept: Vec<Option<String>> = values.iter().enumerate()
                .filter(|(row, _)| mapped.faults.iter().all(|fault| fault.row != *row))
                .map(|(_, value)| value.map(str::to_owned))
                .collect();
            prop_assert_eq!(texts(&mapped, "b"), kept, "{}", step);
            for fault in &mapped.faults {
                // Digits and words of a fault may be a short value by chance; a long one may not.
                let long = values[fault.row].filter(|value| value.chars().count() > 14);
                prop_assert!(long.is_none_or(|value| !fault.fault.to_string().contains(value)));
            }
        }
    }
}
