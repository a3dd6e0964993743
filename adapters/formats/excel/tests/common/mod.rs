//! Containers and binary workbooks made by hand, for several tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "helpers of tests, of which each uses some"
)]

pub mod xlsb;

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// A zip archive with right check sums, deflated.
pub fn zip(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, body) in parts {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(body).unwrap();
        let packed = deflate.finish().unwrap();
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(body);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        common.extend(hasher.finalize().to_le_bytes());
        common.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        common.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        let at = u32::try_from(out.len()).unwrap();
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A compound file of 512-byte sectors with one stream from sector 2 on.
pub fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
    let sectors = stream.len().div_ceil(512).max(8);
    let mut file = vec![0; 512 * (3 + sectors)];
    file[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    file[30..32].copy_from_slice(&[9, 0]);
    file[32..34].copy_from_slice(&[6, 0]);
    let word = |file: &mut Vec<u8>, at: usize, value: u32| {
        file[at..at + 4].copy_from_slice(&value.to_le_bytes())
    };
    word(&mut file, 44, 1);
    word(&mut file, 48, 1);
    word(&mut file, 56, 4096);
    word(&mut file, 60, 0xFFFF_FFFE);
    word(&mut file, 68, 0xFFFF_FFFE);
    for n in 1..109 {
        word(&mut file, 76 + 4 * n, u32::MAX);
    }
    word(&mut file, 512, 0xFFFF_FFFD);
    word(&mut file, 516, 0xFFFF_FFFE);
    for n in 0..sectors {
        let next = if n + 1 == sectors { 0xFFFF_FFFE } else { u32::try_from(n + 3).unwrap() };
        word(&mut file, 512 + 4 * (n + 2), next);
    }
    for (at, byte) in name.encode_utf16().flat_map(u16::to_le_bytes).enumerate() {
        file[1024 + at] = byte;
    }
    file[1024 + 64] = (2 * name.len() + 2) as u8;
    file[1024 + 66] = 2;
    word(&mut file, 1024 + 116, 2);
    word(&mut file, 1024 + 120, u32::try_from(512 * sectors).unwrap());
    file[1536..1536 + stream.len()].copy_from_slice(stream);
    file
}
