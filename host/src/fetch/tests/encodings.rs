//! Content encodings, true ones and lies.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::upstream::{Upstream, answer, encoded};
use super::*;

const TEXT: &[u8] =
    br#"{"tokens": ["example-token-1", "example-token-2", "example-token-2", "example-token-2"]}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    brotli::CompressorWriter::new(&mut encoded, 4096, 5, 20)
        .write_all(bytes)
        .unwrap();
    encoded
}

/// Every encoding with a text in it.
fn all_of(text: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    [
        ("gzip", gzip(text)),
        ("deflate", zlib(text)),
        ("deflate", bare_deflate(text)),
        ("br", brotli(text)),
    ]
}

/// What comes of an answer with this encoding and body.
async fn decoded(encoding: &str, body: &[u8]) -> Result<Vec<u8>, FetchError> {
    fetch(&Upstream::answering([encoded(encoding, body)]).url("/")).await
}

async fn check_refused(encoding: &str, body: &[u8]) {
    let outcome = decoded(encoding, body).await.map_err(|error| error.cause());
    assert_eq!(outcome, Err(Cause::Encoding), "{encoding} {body:?}");
}

#[tokio::test]
async fn every_encoding_is_decoded() {
    // Long enough for many steps, and not the same everywhere.
    let long: Vec<u8> = (0..60_000_u32)
        .flat_map(|at| at.wrapping_mul(at).to_string().into_bytes())
        .collect();
    for text in [TEXT, &long] {
        for (encoding, body) in all_of(text) {
            assert!(
                decoded(encoding, &body).await.unwrap() == text,
                "{encoding}"
            );
        }
    }
    assert_eq!(decoded("X-GZip", &gzip(TEXT)).await.unwrap(), TEXT);
    assert_eq!(decoded("identity", TEXT).await.unwrap(), TEXT);
    assert_eq!(decoded("identity, gzip,", &gzip(TEXT)).await.unwrap(), TEXT);
}

#[tokio::test]
async fn an_encoding_may_end_while_its_output_waits() {
    // The last bytes of these are read while the buffer for what they say is full, at one length or another.
    for len in 65_530..65_560 {
        let mut text = b"[\"t1\"]".to_vec();
        text.resize(len, b' ');
        for (encoding, body) in all_of(&text) {
            let decoded = decoded(encoding, &body).await;
            assert!(decoded.is_ok_and(|all| all == text), "{encoding} of {len}");
        }
    }
}

#[tokio::test]
async fn pieces_of_a_byte_decode_as_the_whole_does() {
    for (encoding, body) in all_of(TEXT) {
        let mut chunked = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for byte in body {
            chunked.extend([b"1\r\n", &[byte][..], b"\r\n"].concat());
        }
        chunked.extend(b"0\r\n\r\n");
        assert_eq!(
            fetch(&Upstream::answering([chunked]).url("/"))
                .await
                .unwrap(),
            TEXT,
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn members_of_gzip_follow_each_other() {
    let two = [gzip(b"[1,"), gzip(b"2]")].concat();
    assert_eq!(decoded("gzip", &two).await.unwrap(), b"[1,2]");
    check_refused("gzip", &two[..two.len() - 1]).await;
}

#[tokio::test]
async fn what_follows_the_end_is_refused() {
    for (encoding, body) in all_of(TEXT) {
        check_refused(encoding, &[&body, &b"\0\0garbage"[..]].concat()).await;
    }
}

#[tokio::test]
async fn what_ends_early_is_refused() {
    for (encoding, body) in all_of(TEXT) {
        check_refused(encoding, &body[..body.len() - 1]).await;
        check_refused(encoding, &body[..body.len() / 2]).await;
        check_refused(encoding, &body[..1]).await;
    }
}

#[tokio::test]
async fn what_is_not_encoded_as_it_says_is_refused() {
    for encoding in ["gzip", "deflate", "br"] {
        check_refused(encoding, TEXT).await;
    }
    check_refused("gzip", &zlib(TEXT)).await;
    let mut wrong_checksum = gzip(TEXT);
    let at = wrong_checksum.len() - 6;
    wrong_checksum[at] ^= 1;
    check_refused("gzip", &wrong_checksum).await;
}

#[tokio::test]
async fn unknown_and_several_encodings_are_refused() {
    for encoding in [
        "zstd",
        "compress",
        "aws-chunked",
        "gzip, br",
        "gzip, gzip",
        "gz\u{e9}p",
    ] {
        check_refused(encoding, TEXT).await;
    }
    let twice = answer(
        "200 OK",
        "Content-Encoding: gzip\r\nContent-Encoding: br\r\n",
        TEXT,
    );
    assert_eq!(
        cause(&Upstream::answering([twice]).url("/")).await,
        Cause::Encoding
    );
}

#[tokio::test]
async fn bombs_are_cut_at_the_limit_of_decoded_bytes() {
    let zeros = vec![b' '; 8 << 20];
    let config = FetchConfig {
        max_body: 1 << 20,
        ..FetchConfig::default()
    };
    for (encoding, body) in all_of(&zeros) {
        assert!(body.len() < 1 << 20, "{encoding} is no bomb");
        let upstream = Upstream::answering([encoded(encoding, &body)]);
        let mut gathered = Gathered {
            bytes: Vec::new(),
            refuse_after: usize::MAX,
        };
        let outcome = Fetcher::new(config.clone())
            .unwrap()
            .fetch(
                &source(&upstream.url("/")),
                &Validators::default(),
                &mut gathered,
            )
            .await;
        assert_eq!(outcome.unwrap_err().cause(), Cause::TooLarge, "{encoding}");
        assert!(gathered.bytes.len() <= 1 << 20, "{encoding}");
    }
}

#[tokio::test]
async fn bombs_are_cut_long_before_that_limit() {
    let spaces = vec![b' '; 64 << 20];
    for (encoding, body) in all_of(&spaces) {
        assert!(spaces.len() > 200 * body.len(), "{encoding} is no bomb");
        let upstream = Upstream::answering([encoded(encoding, &body)]);
        let mut gathered = Gathered {
            bytes: Vec::new(),
            refuse_after: usize::MAX,
        };
        let fetcher = Fetcher::new(FetchConfig::default()).unwrap();
        let source = source(&upstream.url("/"));
        let outcome = fetcher
            .fetch(&source, &Validators::default(), &mut gathered)
            .await;
        let error = outcome.unwrap_err();
        assert_eq!(error.cause(), Cause::TooLarge, "{encoding}");
        assert!(error.to_string().ends_with("200 times its bytes"));
        let most = 200 * body.len() + (1 << 20);
        assert!(gathered.bytes.len() <= most, "{encoding}");
    }
}

#[tokio::test]
async fn what_repeats_itself_a_little_less_is_decoded() {
    // A MiB of one letter, and many accounts that differ by their number alone.
    let letter = vec![b' '; 1 << 20];
    let numbered: String = (0..100_000)
        .map(|n| format!("{{\"access_token\": \"example-token-{n}\"}},\n"))
        .collect();
    for text in [letter.as_slice(), numbered.as_bytes()] {
        for (encoding, body) in all_of(text) {
            assert_eq!(decoded(encoding, &body).await.unwrap(), text, "{encoding}");
        }
    }
}

#[tokio::test]
async fn a_large_brotli_window_is_refused() {
    // 0x11 0x1e: the extension that announces a window of 2^30 bytes.
    check_refused("br", &[0x11, 0x1e, 0x0c, 0x00, 0x80, b'[', b']', 0x03]).await;
}
