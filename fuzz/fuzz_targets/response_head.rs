//! Heads of answers. What is behind a head never changes how it is read.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use trafficcop_h1::head::{Limits, parse_response};

const LIMITS: Limits = Limits { bytes: 64 << 10, lines: 100 };

fuzz_target!(|data: &[u8]| {
    for method in [Method::GET, Method::HEAD, Method::CONNECT] {
        let Ok(Some(head)) = parse_response(data, &method, LIMITS) else { continue };
        assert!(head.len <= data.len());
        let alone = parse_response(&data[..head.len], &method, LIMITS).ok().flatten().expect("the head alone is whole");
        assert_eq!((alone.len, alone.framing, alone.status), (head.len, head.framing, head.status));
        assert_eq!(alone.keeps_alive, head.keeps_alive);
    }
});
