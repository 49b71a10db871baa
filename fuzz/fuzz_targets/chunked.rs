//! The chunked coding: wherever the bytes are cut, the same data come out, and the same bytes are left for the next
//! message.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trafficcop_h1::chunked::{Chunked, Step};

/// Data, whether the body ended, and what was left behind its end; or a refusal.
type Outcome = Option<(Vec<u8>, bool, Vec<u8>)>;

fuzz_target!(|data: &[u8]| {
    let Some((&size, data)) = data.split_first() else { return };
    let whole = decode(data, data.len().max(1));
    let cut = decode(data, usize::from(size) + 1);
    assert_eq!(whole, cut);
});

fn decode(data: &[u8], size: usize) -> Outcome {
    let mut decoder = Chunked::default();
    let mut out = Vec::new();
    for (index, piece) in data.chunks(size).enumerate() {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match decoder.decode(&mut input).ok()? {
                Step::Data(data) => out.extend_from_slice(&data),
                Step::More => break,
                Step::End(_) => {
                    assert!(decoder.is_over());
                    let used = index * size + piece.len() - input.len();
                    return Some((out, true, data[used..].to_vec()));
                }
            }
        }
        assert!(input.is_empty(), "bytes are left although more are asked for");
    }
    Some((out, false, Vec::new()))
}
