//! What we are measured against, each used the way its own documentation shows.

#![allow(dead_code, unreachable_pub, clippy::expect_used, missing_docs)]

pub mod readers;
pub mod writers;

pub use table::Resident;

mod table {
    dbase::dbase_record! {
        #[derive(Debug)]
        pub struct Resident {
            pub person_id: Option<String>,
            pub name: Option<String>,
            pub sex: Option<String>,
            pub birth: Option<dbase::Date>,
            pub region: Option<String>,
            pub address: Option<String>,
            pub capital: Option<f64>,
            pub tax: Option<f64>,
            pub employees: Option<f64>,
            pub issued: Option<dbase::Date>,
            pub updated: Option<String>,
            pub status: Option<String>,
            pub remark: Option<String>
        }
    }
}
