//! A table whose memo file lies beside it on a web server.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::work::Work;

/// A web server without lists, and what it was asked for: method and path.
fn server(files: BTreeMap<String, Vec<u8>>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut lines =
                BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let mut words = first.split(' ');
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            kept.lock().unwrap().push(format!("{method} {path}"));
            let file = files.get(path);
            let status = if file.is_some() { "200 OK" } else { "404 Not Found" };
            let body = file.map_or(&[][..], Vec::as_slice);
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"1\"\r\n", body.len());
            let _ = write!(stream, "{head}Connection: close\r\n\r\n");
            if method != "HEAD" {
                let _ = stream.write_all(body);
            }
        }
    });
    (port, asked)
}

#[test]
fn the_memo_file_of_a_table_is_fetched_once() {
    let work = Work::new();
    let long = "张".repeat(200);
    work.write("in.csv", format!("id,note\n1,{long}\n2,short\n"));
    let made = work.run(&["convert", "in.csv", "RK.DBF", "-O", "width=300", "-O", "encoding=gbk"]);
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    let read = |name: &str| std::fs::read(work.path(name)).unwrap();
    let memo = ["RK.FPT", "RK.DBT"].into_iter().find(|name| work.path(name).exists()).unwrap();
    // The first name that is asked for has to be there, or both kinds would be looked for.
    let files = [("/d/RK.DBF".to_owned(), read("RK.DBF")), (format!("/d/{memo}"), read(memo))];
    let (port, asked) = server(files.into());
    let url = format!("http://127.0.0.1:{port}/d/RK.DBF");
    let ran = work.run(&["convert", &url, "out.csv"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(work.read("out.csv").contains(&long));
    let asked = asked.lock().unwrap();
    let fetched = asked.iter().filter(|line| **line == format!("GET /d/{memo}")).count();
    assert_eq!(fetched, 1, "{asked:?}");
}
