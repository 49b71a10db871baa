//! Heads of requests. What is behind a head never changes how it is read, and a head that we write in turn ends where we
//! end it: the server behind us sees one request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trafficcop_h1::compose;
use trafficcop_h1::head::{Limits, parse_request};

const LIMITS: Limits = Limits { bytes: 64 << 10, lines: 100 };

fuzz_target!(|data: &[u8]| {
    let Ok(Some(head)) = parse_request(data, LIMITS) else { return };
    assert!(head.len <= data.len());
    let alone = parse_request(&data[..head.len], LIMITS).ok().flatten().expect("the head alone is whole");
    assert_eq!((alone.len, alone.framing), (head.len, head.framing));
    for canonical in [false, true] {
        let mut written = Vec::new();
        compose::request_head(&mut written, &head.request, head.framing, canonical);
        let end = written.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head ends");
        assert_eq!(end + 4, written.len(), "the head ends early: {}", written.escape_ascii());
    }
});
