use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use fenhe_core::{Kind, Store};
use fenhe_file::{Files, FilesConfig, Symlinks};
use fenhe_testkit::store::put;

use crate::{folder, read};

#[tokio::test]
async fn a_name_that_leads_out_of_the_root_is_refused_by_every_method() {
    let (keep, files) = folder();
    fs::write(keep.path().join("inside"), "x").unwrap();
    for name in ["../x", "a/../../x", "/etc/hostname", "a\0b", "line\nbreak", ""] {
        assert_eq!(files.head(name).await.unwrap_err().code(), "file.name", "{name:?}");
        assert_eq!(files.get(name, 0).await.map(drop).unwrap_err().code(), "file.name");
        assert_eq!(files.put(name).await.map(drop).unwrap_err().code(), "file.name");
        assert_eq!(files.remove(name).await.unwrap_err().code(), "file.name");
        assert_eq!(files.rename("inside", name).await.unwrap_err().code(), "file.name");
    }
    assert!(keep.path().join("inside").exists());
}

#[tokio::test]
async fn a_link_out_of_the_root_is_followed_only_when_asked_for() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.csv"), "secret").unwrap();
    let (keep, within) = folder();
    fs::write(keep.path().join("own.csv"), "own").unwrap();
    symlink(outside.path().join("secret.csv"), keep.path().join("out.csv")).unwrap();
    symlink(outside.path(), keep.path().join("away")).unwrap();
    symlink("own.csv", keep.path().join("in.csv")).unwrap();
    for name in ["out.csv", "away/secret.csv"] {
        assert_eq!(read(&within, name).await.unwrap_err().kind(), Kind::Permission, "{name}");
        assert_eq!(within.put(name).await.map(drop).unwrap_err().kind(), Kind::Permission);
    }
    assert_eq!(read(&within, "in.csv").await.unwrap(), b"own");
    let names: Vec<_> =
        within.list("**/*.csv").await.unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["in.csv", "own.csv"]);

    let mut config = FilesConfig::new(keep.path());
    config.symlinks = Symlinks::Follow;
    let follow = Files::new(config.clone()).unwrap();
    assert_eq!(read(&follow, "away/secret.csv").await.unwrap(), b"secret");
    config.symlinks = Symlinks::Refuse;
    let refuse = Files::new(config).unwrap();
    assert_eq!(read(&refuse, "in.csv").await.unwrap_err().code(), "file.symlink");
    assert_eq!(fs::read(outside.path().join("secret.csv")).unwrap(), b"secret");
}

#[tokio::test]
async fn a_circle_of_links_ends() {
    let (keep, _) = folder();
    fs::create_dir(keep.path().join("a")).unwrap();
    fs::write(keep.path().join("a/x.csv"), "x").unwrap();
    symlink(keep.path(), keep.path().join("a/up")).unwrap();
    let mut config = FilesConfig::new(keep.path());
    config.symlinks = Symlinks::Follow;
    let found = Files::new(config).unwrap().list("**/x.csv").await.unwrap();
    assert!((1..=2).contains(&found.len()), "{found:?}");
}

#[tokio::test]
async fn a_name_in_gbk_bytes_is_listed_and_opened_by_its_text() {
    let (keep, files) = folder();
    // 人口 in GBK (GB 2312 rows 40 and 31).
    let raw = std::ffi::OsStr::from_bytes(b"\xc8\xcb\xbf\xda.DBF");
    fs::write(keep.path().join(raw), "dbf").unwrap();
    fs::write(keep.path().join(std::ffi::OsStr::from_bytes(b"\xc8\xcb\xbf\xda.FPT")), "memo")
        .unwrap();
    let names: Vec<_> = files.list("*.DBF").await.unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["人口.DBF"]);
    assert_eq!(read(&files, "人口.DBF").await.unwrap(), b"dbf");
    let companions = files.companions("人口.DBF", &["fpt"]).await.unwrap();
    assert_eq!(companions, [("fpt".to_owned(), "人口.FPT".to_owned())]);
}

#[tokio::test]
async fn companions_are_found_in_any_case_and_the_like_spelled_one_first() {
    let (_keep, files) = folder();
    for name in ["in/RK.DBF", "in/rk.fpt", "in/RK.FPT", "in/Rk.Cpg", "in/RK2.FPT", "RK.DBT"] {
        put(&files, name, name.as_bytes()).await;
    }
    let found = files.companions("in/RK.DBF", &["fpt", "dbt", "cpg"]).await.unwrap();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(found, [pair("fpt", "in/RK.FPT"), pair("cpg", "in/Rk.Cpg")]);
    let opened = files.open_companions("in/RK.DBF", &["fpt"]).await.unwrap();
    assert_eq!((opened[0].extension.as_str(), opened[0].data.size()), ("fpt", 9));
}

#[tokio::test]
async fn globs_stay_in_their_folder_and_hide_dot_files() {
    let (keep, files) = folder();
    for name in ["a.csv", "b/c.csv", "b/d/e.csv", "[1].csv"] {
        put(&files, name, b"x").await;
    }
    fs::write(keep.path().join(".x.csv.part"), "half").unwrap();
    let list = async |glob: &str| {
        files.list(glob).await.unwrap().into_iter().map(|e| e.name).collect::<Vec<_>>()
    };
    assert_eq!(list("*.csv").await, ["[1].csv", "a.csv"]);
    assert_eq!(list("**/*.csv").await, ["[1].csv", "a.csv", "b/c.csv", "b/d/e.csv"]);
    assert_eq!(list("*/?.csv").await, ["b/c.csv"]);
    assert_eq!(list("[[]1].csv").await, ["[1].csv"]);
    assert_eq!(list("**/*").await.len(), 4);
    assert_eq!(files.list("a**").await.unwrap_err().code(), "file.glob");
}

#[tokio::test]
async fn a_folder_is_no_object() {
    let (keep, files) = folder();
    fs::create_dir(keep.path().join("sub")).unwrap();
    assert_eq!(files.head("sub").await.unwrap_err().code(), "file.folder");
    assert_eq!(files.put("sub").await.map(drop).unwrap_err().code(), "file.folder");
    assert_eq!(files.get("sub/none.csv", 0).await.map(drop).unwrap_err().kind(), Kind::NotFound);
}
