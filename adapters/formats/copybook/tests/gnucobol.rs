//! GnuCOBOL writes what we read and reads what we write, by the same copybook.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Command;

use bytes::BytesMut;
use common::{decoded, format};
use fenhe_core::{EncodeOptions, Limits};

/// P with COMP-3 is left out: GnuCOBOL 4.0-early-dev shows what it stored there as `-1=300`.
const COPYBOOK: &str = "
       01  REC.
           05  ID-NO      PIC 9(6).
           05  NAME       PIC X(10).
           05  S-TRAIL    PIC S9(5)V99.
           05  S-LEAD     PIC S9(4) SIGN LEADING.
           05  S-SEP      PIC S9(4) SIGN TRAILING SEPARATE.
           05  S-LSEP     PIC S9(4) SIGN LEADING SEPARATE.
           05  B-TINY     PIC S9(2) COMP.
           05  B-HALF     PIC S9(4) COMP.
           05  B-FULL     PIC 9(9) COMP.
           05  B-LONG     PIC S9(15)V99 COMP.
           05  B-NATIVE   PIC S9(9) COMP-5.
           05  P-ODD      PIC S9(7) COMP-3.
           05  P-EVEN     PIC 9(6)V99 COMP-3.
           05  D-FLOAT    COMP-2.
           05  E-MONEY    PIC ZZ,ZZ9.99-.
           05  SCALED     PIC S9(3)PP COMP.
           05  N          PIC 9(2).
           05  T OCCURS 3.
               10  TA     PIC X(3).
               10  TB     PIC S9(3) COMP-3.
";

fn program(folder: &Path) -> std::path::PathBuf {
    let move_all = |id: &str, sign: &str| {
        format!(
            "           MOVE {id} TO ID-NO
           MOVE \"NAME {id}\" TO NAME
           MOVE {sign}123.45 TO S-TRAIL
           MOVE {sign}12 TO S-LEAD S-SEP S-LSEP B-TINY
           MOVE {sign}1234 TO B-HALF
           MOVE 123456789 TO B-FULL
           MOVE {sign}123456789012345.67 TO B-LONG
           MOVE {sign}987654321 TO B-NATIVE
           MOVE {sign}7654321 TO P-ODD
           MOVE 4321.09 TO P-EVEN
           MOVE {sign}1.5 TO D-FLOAT
           MOVE {sign}1234.5 TO E-MONEY
           MOVE {sign}12300 TO SCALED
           MOVE 3 TO N
           MOVE \"ABC\" TO TA(1) MOVE \"D\" TO TA(2) MOVE SPACES TO TA(3)
           MOVE {sign}1 TO TB(1) MOVE 22 TO TB(2) MOVE ZERO TO TB(3)
           WRITE REC\n"
        )
    };
    let source = format!(
        "       IDENTIFICATION DIVISION.
       PROGRAM-ID. DIFF.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT F ASSIGN TO \"data.bin\" ORGANIZATION IS SEQUENTIAL.
       DATA DIVISION.
       FILE SECTION.
       FD  F.
{COPYBOOK}
       WORKING-STORAGE SECTION.
       01  WHAT PIC X.
       01  EOF-FLAG PIC X VALUE \"N\".
       PROCEDURE DIVISION.
       MAIN.
           ACCEPT WHAT FROM COMMAND-LINE
           IF WHAT = \"W\" PERFORM WRITE-ALL ELSE PERFORM READ-ALL.
           STOP RUN.
       WRITE-ALL.
           OPEN OUTPUT F
{}{}           CLOSE F.
       READ-ALL.
           OPEN INPUT F
           PERFORM UNTIL EOF-FLAG = \"Y\"
             READ F AT END MOVE \"Y\" TO EOF-FLAG
             NOT AT END
               DISPLAY
                 ID-NO \"|\"
                 NAME \"|\"
                 S-TRAIL \"|\"
                 S-LEAD \"|\"
                 S-SEP \"|\"
                 S-LSEP \"|\"
                 B-TINY \"|\"
                 B-HALF \"|\"
                 B-FULL \"|\"
                 B-LONG \"|\"
                 B-NATIVE \"|\"
                 P-ODD \"|\"
                 P-EVEN \"|\"
                 D-FLOAT \"|\"
                 E-MONEY \"|\"
                 SCALED \"|\"
                 N \"|\"
                 TA(1) TB(1) TA(2) TB(2) TA(3) TB(3)
             END-READ
           END-PERFORM
           CLOSE F.
",
        move_all("1", "-"),
        move_all("2", "+"),
    );
    std::fs::write(folder.join("diff.cob"), source).unwrap();
    let done = Command::new("cobc")
        .args(["-x", "-o", "diff", "diff.cob"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder.join("diff")
}

fn run(program: &Path, folder: &Path, what: &str) -> String {
    let done = Command::new(program).arg(what).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
#[ignore = "needs cobc"]
fn a_compiler_writes_what_we_read_and_reads_what_we_write() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    run(&program, folder.path(), "W");
    let written = std::fs::read(folder.path().join("data.bin")).unwrap();
    let shown = run(&program, folder.path(), "R");
    let options = serde_json::json!({"encoding": "ascii", "binary_size": "1-2-4-8"});
    let format = format(COPYBOOK, &options);
    let got = decoded(&format, written.clone());
    assert!(got.error.is_none() && got.rejects.is_empty(), "{:?} {:?}", got.error, got.rejects);
    assert_eq!(
        got.rows[0],
        r#"{"ID-NO":1,"NAME":"NAME 1","S-TRAIL":-123.45,"S-LEAD":-12,"S-SEP":-12,"S-LSEP":-12,"B-TINY":-12,"B-HALF":-1234,"B-FULL":123456789,"B-LONG":-123456789012345.67,"B-NATIVE":-987654321,"P-ODD":-7654321,"P-EVEN":4321.09,"D-FLOAT":-1.5,"E-MONEY":-1234.50,"SCALED":-12300,"N":3,"T":[{"TA":"ABC","TB":-1},{"TA":"D","TB":22},{"TA":"","TB":0}]}"#
    );
    assert_eq!(got.rows.len(), 2);
    let schema = got.schema.unwrap();
    let mut encoder = format.encoder(EncodeOptions { schema, limits: Limits::default() }).unwrap();
    let mut out = BytesMut::new();
    for batch in &got.batches {
        let refused = encoder.encode(batch, &mut out).unwrap();
        assert!(refused.is_empty(), "{}", refused[0]);
    }
    encoder.finish(&mut out).unwrap();
    assert_eq!(out, written, "our bytes are the compiler's");
    std::fs::write(folder.path().join("data.bin"), &out).unwrap();
    assert_eq!(run(&program, folder.path(), "R"), shown);
}
