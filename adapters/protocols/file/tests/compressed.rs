use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use fenhe_core::{Kind, Store};
use fenhe_file::{Compression, Files, FilesConfig};
use fenhe_testkit::store::{get, put};

use crate::{folder, read};

/// Runs a tool of the system on the input; `None` where it is not installed.
fn tool(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().ok()?;
    feeder.join().ok()?.ok()?;
    assert!(output.status.success(), "{program} failed");
    Some(output.stdout)
}

fn text() -> Vec<u8> {
    (0..60_000).flat_map(|n| format!("{n},欧阳,{}\n", n * 7919 % 1000).into_bytes()).collect()
}

#[tokio::test]
async fn gzip_of_the_system_is_read_and_ours_is_read_by_it() {
    let (keep, files) = folder();
    let Some(packed) = tool("gzip", &["-c"], &text()) else { return println!("skipped: no gzip") };
    // Two members, as `cat a.gz b.gz` makes them.
    fs::write(keep.path().join("t.csv.gz"), [packed.clone(), packed].concat()).unwrap();
    assert!(read(&files, "t.csv.gz").await.unwrap() == [text(), text()].concat());
    assert_eq!(get(&files, "t.csv.gz", text().len() as u64).await, text());
    assert_eq!(files.head("t.csv.gz").await.unwrap().size, None);

    put(&files, "ours.csv.gz", &text()).await;
    let raw = fs::read(keep.path().join("ours.csv.gz")).unwrap();
    assert!(raw.len() < text().len() / 2);
    assert!(tool("gzip", &["-dc"], &raw).unwrap() == text());
}

#[tokio::test]
async fn zstd_makes_the_way_there_and_back() {
    let (keep, files) = folder();
    put(&files, "ours.zst", &text()).await;
    let raw = fs::read(keep.path().join("ours.zst")).unwrap();
    assert_eq!(raw[..4], [0x28, 0xb5, 0x2f, 0xfd], "magic number of RFC 8878 3.1.1");
    assert!(read(&files, "ours.zst").await.unwrap() == text());
    if let Some(plain) = tool("zstd", &["-dc"], &raw) {
        assert!(plain == text());
    }
    let object = files.open("ours.zst").await.unwrap();
    assert_eq!(object.size(), text().len() as u64);
    let mut buf = [0; 5];
    object.read_at(10, &mut buf).unwrap();
    assert_eq!(buf, text()[10..15]);
}

#[tokio::test]
async fn without_compression_the_bytes_are_as_they_are() {
    let (keep, files) = folder();
    put(&files, "a.gz", b"plain").await;
    let mut config = FilesConfig::new(keep.path());
    config.compression = Compression::None;
    let bytes = Files::new(config).unwrap();
    assert_eq!(read(&bytes, "a.gz").await.unwrap()[..2], [0x1f, 0x8b]);
    put(&bytes, "b.gz", b"no gzip header at all").await;
    assert_eq!(read(&files, "b.gz").await.unwrap_err().code(), "file.compressed");
}

#[tokio::test]
async fn a_cut_or_damaged_stream_is_an_error_and_never_a_short_file() {
    let (keep, files) = folder();
    for name in ["a.gz", "a.zst"] {
        put(&files, name, &text()).await;
        let path = keep.path().join(name);
        let whole = fs::read(&path).unwrap();
        for cut in [1, 5, 9, whole.len() / 2, whole.len() - 3] {
            fs::write(&path, &whole[..cut]).unwrap();
            let error = read(&files, name).await.unwrap_err();
            assert!(
                matches!(error.kind(), Kind::Truncated | Kind::Invalid),
                "{name} {cut}: {error}"
            );
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        assert_eq!(read(&files, name).await.unwrap_err().kind(), Kind::Invalid, "{name}");
    }
}

#[tokio::test]
async fn a_bomb_is_stopped_by_the_ratio_that_its_error_names() {
    let (keep, _) = folder();
    let mut config = FilesConfig::new(keep.path());
    config.stream_ratio = 100;
    let files = Files::new(config).unwrap();
    for name in ["bomb.gz", "bomb.zst"] {
        put(&files, name, &vec![0; 8 << 20]).await;
        let error = read(&files, name).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Limit, "core.limit"), "{error}");
        assert!(error.message().contains("inflate_ratio"), "{error}");
        // Less than the first MiB may be all blanks.
        put(&files, name, &vec![b' '; 1 << 20]).await;
        assert_eq!(read(&files, name).await.unwrap().len(), 1 << 20);
    }
    fs::write(keep.path().join("bomb.zip"), zip(&[(b"zeros", &vec![0; 8 << 20])])).unwrap();
    assert_eq!(read(&files, "bomb.zip").await.unwrap_err().kind(), Kind::Limit);
}

#[tokio::test]
async fn spooling_stops_at_its_limit() {
    let (keep, files) = folder();
    put(&files, "a.gz", &text()).await;
    let mut config = FilesConfig::new(keep.path());
    config.spool_bytes = 1_000;
    let error = Files::new(config).unwrap().open("a.gz").await.unwrap_err();
    assert!(error.message().contains("spool_bytes"), "{error}");
}

/// A zip archive by APPNOTE 4.3, deflated, written here byte by byte so that names can be any bytes.
fn zip(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(data).unwrap();
        let packed = packer.finish().unwrap();
        let offset = out.len() as u32;
        let mut common = Vec::new();
        // Version 2.0, no flags (so no UTF-8), deflate, time and date.
        common.extend([20_u16, 0, 8, 0, 0x21].iter().flat_map(|n| n.to_le_bytes()));
        let sizes = [crc32fast::hash(data), packed.len() as u32, data.len() as u32];
        common.extend(sizes.iter().flat_map(|n| n.to_le_bytes()));
        common.extend([name.len() as u16, 0].iter().flat_map(|n| n.to_le_bytes()));
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(*name);
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        // Comment length, disk, internal and external attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(*name);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    let count = entries.len() as u16;
    out.extend([count, count].iter().flat_map(|n| n.to_le_bytes()));
    out.extend([directory.len() as u32, start].iter().flat_map(|n| n.to_le_bytes()));
    out.extend([0, 0]);
    out
}

#[tokio::test]
async fn zip_entries_with_gbk_names_are_listed_and_read() {
    let (keep, files) = folder();
    // 费用.csv in GBK, as Windows tools in China write it, without the UTF-8 flag.
    let raw = b"\xb7\xd1\xd3\xc3.csv";
    let content = text();
    fs::write(
        keep.path().join("a.zip"),
        zip(&[(raw, &content), (b"b/RK.DBF", b"dbf"), (b"b/rk.fpt", b"memo")]),
    )
    .unwrap();
    let members = files.members("a.zip").await.unwrap();
    assert_eq!((members[0].name.as_str(), members[0].raw_name.as_slice()), ("费用.csv", &raw[..]));
    assert!(read(&files, "a.zip!/费用.csv").await.unwrap() == content);
    assert_eq!(get(&files, "a.zip!/费用.csv", 70_000).await, &content[70_000..]);
    let listed = files.list("a.zip!/**/*").await.unwrap();
    let names: Vec<_> = listed.iter().map(|e| (e.name.as_str(), e.size)).collect();
    let size = Some(content.len() as u64);
    assert_eq!(
        names,
        [("a.zip!/b/RK.DBF", Some(3)), ("a.zip!/b/rk.fpt", Some(4)), ("a.zip!/费用.csv", size)]
    );
    let companions = files.companions("a.zip!/b/RK.DBF", &["fpt"]).await.unwrap();
    assert_eq!(companions[0].1, "a.zip!/b/rk.fpt");
    assert_eq!(files.open("a.zip!/b/RK.DBF").await.unwrap().size(), 3);

    let error = read(&files, "a.zip").await.unwrap_err();
    assert_eq!(error.code(), "file.entries");
    assert!(error.hint_text().unwrap().contains("费用.csv"), "{error}");
    assert_eq!(read(&files, "a.zip!/none").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(files.put("a.zip").await.map(drop).unwrap_err().kind(), Kind::Unsupported);
    assert_eq!(files.remove("a.zip!/费用.csv").await.unwrap_err().kind(), Kind::Unsupported);
}

#[tokio::test]
async fn the_only_entry_needs_no_name() {
    let (keep, files) = folder();
    fs::write(
        keep.path().join("one.zip"),
        zip(&[(b"x.csv", b"1,2\n"), (b"__MACOSX/._x.csv", b"m")]),
    )
    .unwrap();
    assert_eq!(read(&files, "one.zip").await.unwrap(), b"1,2\n");
    assert_eq!(files.head("one.zip").await.unwrap().size, Some(4));
}

#[tokio::test]
async fn a_damaged_zip_is_refused_wherever_it_is_damaged() {
    let (keep, files) = folder();
    let path = keep.path().join("a.zip");
    let content = &text()[..900];
    let whole = zip(&[(b"x.csv", content)]);
    for at in 0..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 0x04;
        fs::write(&path, &bad).unwrap();
        // A flip in times and attributes harms nothing; content is right or refused, never wrong.
        if let Ok(read) = read(&files, "a.zip").await {
            assert!(read == content, "byte {at}");
        }
        fs::write(&path, &whole[..at]).unwrap();
        assert!(crate::read(&files, "a.zip").await.is_err(), "cut at {at}");
    }
}

#[tokio::test]
async fn an_archive_of_the_system_tool_is_read() {
    let (keep, files) = folder();
    let script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED)\n\
                  z.writestr('数据/甲.csv','一,二\\n')\nz.writestr('b.txt','b'*100000)\nz.close()\n";
    let path = keep.path().join("py.zip");
    if tool("python3", &["-c", script, path.to_str().unwrap()], b"").is_none() {
        return println!("skipped: no python3");
    }
    assert_eq!(read(&files, "py.zip!/数据/甲.csv").await.unwrap(), "一,二\n".as_bytes());
    assert_eq!(read(&files, "py.zip!/b.txt").await.unwrap(), vec![b'b'; 100_000]);
}

#[tokio::test]
async fn too_many_entries_are_refused() {
    let (keep, _) = folder();
    fs::write(keep.path().join("a.zip"), zip(&[(b"1", b""), (b"2", b""), (b"3", b"")])).unwrap();
    let mut config = FilesConfig::new(keep.path());
    config.limits.entries = 2;
    let error = Files::new(config).unwrap().list("a.zip!/*").await.unwrap_err();
    assert!(error.message().contains("entries"), "{error}");
}
