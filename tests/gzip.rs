//! Bytes as gzip makes them at its smallest.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

/// Gzipped at level 9.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
