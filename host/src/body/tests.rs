use super::*;

fn limits(max: u64, spool_above: u64) -> BodyLimits {
    BodyLimits {
        max,
        spool_above,
        spool_dir: std::env::temp_dir(),
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn collect(limits: &BodyLimits, hint: Option<u64>, bytes: &[u8], piece: usize) -> Body {
    let mut collector = Collector::new(limits);
    collector.expect(hint.unwrap_or(0));
    for piece in bytes.chunks(piece) {
        collector.push(piece).unwrap();
    }
    collector.finish().unwrap()
}

#[test]
fn every_part_reads_back_from_memory_and_from_a_file() {
    let bytes = pattern(WINDOW * 2 + 77);
    for (spool_above, hint) in [
        (u64::MAX, None),
        (1000, None),
        (0, Some(5)),
        (70_000, Some(u64::MAX)),
    ] {
        let body = collect(&limits(u64::MAX, spool_above), hint, &bytes, 999);
        assert_eq!(body.len(), bytes.len() as u64);
        let mut scratch = Vec::new();
        for (offset, len) in [
            (0, 10),
            (WINDOW - 3, 6),
            (5, WINDOW),
            (bytes.len() - 1, 1),
            (bytes.len(), 0),
        ] {
            let part = body.slice(offset as u64, len, &mut scratch).unwrap();
            assert_eq!(part, &bytes[offset..offset + len]);
        }
        let whole = body.slice(0, bytes.len(), &mut scratch).unwrap();
        assert_eq!(whole, bytes);
    }
}

#[test]
fn a_part_beyond_the_end_is_an_error() {
    for spool_above in [u64::MAX, 0] {
        let body = collect(&limits(100, spool_above), None, b"abc", 2);
        for (offset, len) in [(0, 4), (3, 1), (4, 0), (u64::MAX, 1)] {
            let error = body.slice(offset, len, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}

#[test]
fn ascending_small_reads_use_the_window() {
    let bytes = pattern(WINDOW);
    let body = collect(&limits(u64::MAX, 0), None, &bytes, 4096);
    let mut scratch = Vec::new();
    for offset in (0..WINDOW).step_by(700) {
        let len = 700.min(WINDOW - offset);
        assert_eq!(
            body.slice(offset as u64, len, &mut scratch).unwrap(),
            &bytes[offset..offset + len]
        );
    }
    let Place::Spool(_, window) = &body.place else {
        panic!("not spooled")
    };
    assert_eq!(window.lock().unwrap().start, 0, "the window was read once");
}

#[test]
fn one_byte_more_than_the_limit_is_too_large() {
    for spool_above in [100, 0] {
        let mut collector = Collector::new(&limits(5, spool_above));
        collector.expect(1 << 40);
        collector.push(b"12345").unwrap();
        assert!(matches!(
            collector.push(b"6"),
            Err(BodyError::TooLarge { max: 5 })
        ));
    }
}

#[test]
fn a_body_that_says_that_it_is_large_does_not_fill_the_memory_first() {
    let is_spooled = |hint: Option<u64>, bytes: usize| {
        let mut collector = Collector::new(&limits(u64::MAX, 1 << 20));
        collector.expect(hint.unwrap_or(0));
        collector.push(&pattern(bytes)).unwrap();
        matches!(collector.kept, Kept::Spool(_))
    };
    let large = Some((1 << 20) + 1);
    assert!(is_spooled(large, WRITTEN_AT_ONCE + 1));
    assert!(!is_spooled(large, WRITTEN_AT_ONCE), "a claim costs no file");
    assert!(!is_spooled(Some(1 << 20), 1 << 20));
    assert!(!is_spooled(None, 1 << 20));
    assert!(is_spooled(None, (1 << 20) + 1));
}

#[test]
fn what_fills_the_memory_goes_to_the_file_a_part_with_each_piece() {
    let bytes = pattern(3 * TAKEN_OVER_AT_ONCE + 7);
    let (most, rest) = bytes.split_at(3 * TAKEN_OVER_AT_ONCE);
    for pieces in [1, 3, 7] {
        let mut collector = Collector::new(&limits(u64::MAX, most.len() as u64));
        collector.push(most).unwrap();
        let (first, others) = rest.split_at(8 - pieces);
        for piece in std::iter::once(first).chain(others.chunks(1)) {
            collector.push(piece).unwrap();
        }
        let Kept::Spool(spool) = &collector.kept else {
            panic!("not spooled")
        };
        let left = 3usize.saturating_sub(pieces) * TAKEN_OVER_AT_ONCE;
        assert_eq!(spool.memory.len().saturating_sub(spool.moved), left);
        let body = collector.finish().unwrap();
        let all = body
            .slice(0, bytes.len(), &mut Vec::new())
            .unwrap()
            .to_vec();
        assert!(all == bytes, "{pieces} pieces");
    }
}

#[test]
fn an_empty_body_is_a_body() {
    let body = collect(&limits(0, 0), Some(0), b"", 1);
    assert!(body.is_empty());
    assert_eq!(body.slice(0, 0, &mut Vec::new()).unwrap(), b"");
}

#[test]
fn the_spool_file_has_no_name_and_is_private() {
    use std::os::unix::fs::MetadataExt;
    let folder =
        std::env::temp_dir().join(format!("tributary-body-{:016x}", getrandom::u64().unwrap()));
    std::fs::create_dir(&folder).unwrap();
    let limits = BodyLimits {
        max: 10,
        spool_above: 0,
        spool_dir: folder.clone(),
    };
    let body = collect(&limits, None, b"abc", 1);
    let Place::Spool(file, _) = &body.place else {
        panic!("not spooled")
    };
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.nlink(), metadata.mode() & 0o777), (0, 0o600));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    std::fs::remove_dir(&folder).unwrap();
    let mut collector = Collector::new(&limits);
    assert!(
        matches!(collector.push(b"a"), Err(BodyError::Io(_))),
        "a missing folder is an error"
    );
}
