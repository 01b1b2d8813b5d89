//! Encodings that lie, break, or unfold without end.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::Ending::{self, Fails, Takes};
use super::{Behaviour, ok_with};
use crate::gzip::gzip;

const BROKEN: Ending = Fails(&["encoding"]);
const BOMB: Ending = Fails(&["too_large"]);

fn coded(name: &'static str, encoding: &str, ends: Ending, body: &[u8]) -> Behaviour {
    let header = format!("Content-Encoding: {encoding}\r\n");
    Behaviour::raw(name, ends, ok_with(&header, body))
}

/// 1 GiB of one byte as a gzip of about 1 MB, made without holding it.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..1024 {
        encoder.write_all(&zeros).expect("memory takes it");
    }
    encoder.finish().expect("memory takes it")
}

/// Text whose gzip stays under a ratio of 200, and that is larger than any body may be.
fn slow_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"[").expect("memory takes it");
    let mut state: u32 = 1;
    let mut piece = Vec::with_capacity(1 << 20);
    for _ in 0..300 {
        piece.clear();
        while piece.len() < 1 << 20 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            piece.extend_from_slice(format!("\"{state:08x}{}\",", "x".repeat(400)).as_bytes());
        }
        encoder.write_all(&piece).expect("memory takes it");
    }
    encoder.finish().expect("memory takes it")
}

pub(super) fn all() -> Vec<Behaviour> {
    let good = br#"["coded-1"]"#.as_slice();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(br#"["coded-2"]"#).expect("memory takes it");
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate
        .write_all(br#"["coded-3"]"#)
        .expect("memory takes it");
    let mut brotli = Vec::new();
    let spaces = vec![b' '; 64 << 20];
    brotli::BrotliCompress(
        &mut spaces.as_slice(),
        &mut brotli,
        &brotli::enc::BrotliEncoderParams {
            quality: 5,
            ..Default::default()
        },
    )
    .expect("memory takes it");
    let whole = gzip(good);
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    let bomb = bomb();
    vec![
        coded("is a gzip bomb", "gzip", BOMB, &bomb),
        coded("is a bomb in a bomb", "gzip, gzip", BROKEN, &gzip(&bomb)),
        coded(
            "says gzip once for a bomb in a bomb",
            "gzip",
            Fails(&["not_json"]),
            &gzip(&bomb),
        ),
        coded(
            "is a bomb within the ratio",
            "gzip",
            Fails(&["too_large", "timeout"]),
            &slow_bomb(),
        ),
        coded("is a brotli bomb", "br", BOMB, &brotli),
        coded(
            "cuts its gzip off",
            "gzip",
            BROKEN,
            &whole[..whole.len() - 9],
        ),
        coded("has a wrong sum in its gzip", "gzip", BROKEN, &wrong_sum),
        coded(
            "goes on after its gzip",
            "gzip",
            BROKEN,
            &[&whole[..], b"garbage"].concat(),
        ),
        coded("says gzip and is plain", "gzip", BROKEN, good),
        coded("says brotli and is gzip", "br", BROKEN, &whole),
        coded("says an unknown encoding", "zstd", BROKEN, good),
        coded("says 20 encodings", &["gzip"; 20].join(", "), BROKEN, good),
        coded(
            "is deflate in zlib",
            "deflate",
            Takes(1),
            &zlib.finish().expect("memory takes it"),
        ),
        coded(
            "is deflate without zlib",
            "deflate",
            Takes(1),
            &deflate.finish().expect("memory takes it"),
        ),
    ]
}
