use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use bytes::Bytes;
use fenhe_core::{Kind, Retry, Store};
use fenhe_file::{Files, FilesConfig};
use fenhe_testkit::store::put;

use crate::{folder, read};

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_that_grows_under_the_reader_is_noticed() {
    let (keep, _) = folder();
    let mut config = FilesConfig::new(keep.path());
    config.chunk_bytes = 4_096;
    let files = Files::new(config).unwrap();
    let path = keep.path().join("a.csv");
    fs::write(&path, vec![b'x'; 100_000]).unwrap();
    let mut stream = files.get("a.csv", 0).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
    let error = loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the change was not noticed"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.code()), (Kind::Changed, "file.changed"));
    assert_eq!(stream.next().await.unwrap_err().kind(), Kind::Changed, "the stream stays ended");
}

#[tokio::test]
async fn a_file_that_shrinks_is_noticed_in_random_access_too() {
    let (keep, files) = folder();
    let path = keep.path().join("a.dbf");
    fs::write(&path, vec![b'x'; 10_000]).unwrap();
    let object = files.open("a.dbf").await.unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(50).unwrap();
    assert_eq!(object.read_at(0, &mut [0; 100]).unwrap_err().kind(), Kind::Changed);
    let error = files.get("a.dbf", 51).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "file.shorter");
}

#[tokio::test]
async fn a_file_renamed_over_is_read_as_it_was_and_has_another_version() {
    let (_keep, files) = folder();
    put(&files, "a.csv", &vec![b'1'; 3 << 20]).await;
    let before = files.head("a.csv").await.unwrap();
    let mut stream = files.get("a.csv", 0).await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    put(&files, "a.csv", &vec![b'2'; 3 << 20]).await;
    let mut all = first.to_vec();
    while let Some(chunk) = stream.next().await.unwrap() {
        all.extend_from_slice(&chunk);
    }
    assert!(all.len() == 3 << 20 && all.iter().all(|b| *b == b'1'));
    assert_ne!(files.head("a.csv").await.unwrap().version, before.version);
}

#[tokio::test]
async fn a_dropped_sink_leaves_nothing_and_a_dead_writers_rest_is_overwritten() {
    let (keep, files) = folder();
    let mut sink = files.put("a.csv").await.unwrap();
    sink.write(Bytes::from(vec![b'x'; 1 << 20])).await.unwrap();
    sink.sync().await.unwrap();
    assert_eq!(names(keep.path()), [".a.csv.part"]);
    drop(sink);
    assert!(names(keep.path()).is_empty());

    fs::write(keep.path().join(".a.csv.part"), vec![b'o'; 100]).unwrap();
    put(&files, "a.csv", b"new").await;
    assert_eq!(names(keep.path()), ["a.csv"]);
    assert_eq!(read(&files, "a.csv").await.unwrap(), b"new");
}

#[tokio::test]
async fn two_writers_of_one_name_do_not_mix() {
    let (_keep, files) = folder();
    let first = files.put("a.csv").await.unwrap();
    assert_eq!(files.put("a.csv").await.map(drop).unwrap_err().code(), "file.busy");
    first.close().await.unwrap();
    put(&files, "a.csv", b"second").await;
    assert_eq!(read(&files, "a.csv").await.unwrap(), b"second");
}

#[tokio::test]
async fn a_replaced_file_keeps_its_permissions_and_a_link_stays_a_link() {
    let (keep, files) = folder();
    put(&files, "real.csv", b"1").await;
    fs::set_permissions(keep.path().join("real.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("real.csv", keep.path().join("link.csv")).unwrap();
    put(&files, "link.csv", b"2").await;
    assert!(fs::symlink_metadata(keep.path().join("link.csv")).unwrap().is_symlink());
    let real = keep.path().join("real.csv");
    assert_eq!(fs::read(&real).unwrap(), b"2");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_full_disk_is_a_clear_error_and_the_sink_is_poisoned() {
    // The device that is always full (Linux); it is written straight.
    if !std::path::Path::new("/dev/full").exists() {
        return println!("skipped: no /dev/full");
    }
    let (files, name) = Files::at("/dev/full").unwrap();
    let mut sink = files.put(&name).await.unwrap();
    let mut error = None;
    for _ in 0..4 {
        if let Err(e) = sink.write(Bytes::from(vec![0; 1 << 20])).await {
            error = Some(e);
            break;
        }
    }
    let error = error.expect("the disk is full");
    assert_eq!((error.kind(), error.code()), (Kind::Io, "io.storage_full"));
    assert_eq!(error.retry(), Retry::Never);
    assert_eq!(sink.write(Bytes::from_static(b"x")).await.unwrap_err().kind(), Kind::Poisoned);
    assert_eq!(sink.close().await.unwrap_err().kind(), Kind::Poisoned);
}

#[tokio::test]
#[ignore = "needs a tmpfs of 1 MiB at FENHE_SMALL_DISK"]
async fn a_full_folder_keeps_no_part_file() {
    let Some(folder) = std::env::var_os("FENHE_SMALL_DISK") else { return };
    let files = Files::new(FilesConfig::new(&folder)).unwrap();
    let mut sink = files.put("big.csv").await.unwrap();
    let written = async {
        for _ in 0..8 {
            sink.write(Bytes::from(vec![b'x'; 1 << 20])).await?;
        }
        sink.close().await
    };
    assert_eq!(written.await.unwrap_err().code(), "io.storage_full");
    assert!(names(std::path::Path::new(&folder)).is_empty());
}

#[tokio::test]
async fn a_pipe_is_a_stream_without_size() {
    let (keep, files) = folder();
    let path = keep.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = std::thread::spawn(move || fs::write(path, "from a pipe"));
    assert_eq!(read(&files, "pipe").await.unwrap(), b"from a pipe");
    writer.join().unwrap().unwrap();
}

#[tokio::test]
async fn a_patch_reaches_only_what_was_written() {
    let (_keep, files) = folder();
    let mut sink = files.put("a").await.unwrap();
    sink.write(Bytes::from_static(b"abc")).await.unwrap();
    let error = sink.patch(2, Bytes::from_static(b"xx")).await.unwrap_err();
    assert_eq!(error.code(), "file.patch");
    sink.patch(1, Bytes::from_static(b"xx")).await.unwrap();
    sink.close().await.unwrap();
    assert_eq!(read(&files, "a").await.unwrap(), b"axx");
    let mut sink = files.put("a.gz").await.unwrap();
    sink.write(Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(
        sink.patch(0, Bytes::from_static(b"x")).await.unwrap_err().kind(),
        Kind::Unsupported
    );
}

#[test]
fn an_unknown_field_of_the_configuration_is_refused() {
    let error =
        serde_json::from_str::<FilesConfig>(r#"{"root": "/", "symlink": "follow"}"#).unwrap_err();
    assert!(error.to_string().contains("symlink"), "{error}");
}
