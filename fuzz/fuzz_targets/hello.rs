//! The first bytes of a connection. What was settled stays settled, however many bytes follow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trafficcop_router::tcp::hello::{Hello, read};

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else { return };
    // Nearly all bytes fail at the first headers; half of the inputs get those for nothing.
    let bytes = if how & 1 == 0 { data.to_vec() } else { framed(data) };
    let mut settled = None;
    for end in cuts(bytes.len(), usize::from(how >> 1) + 1) {
        let now = read(&bytes[..end]);
        match &settled {
            Some(before) => assert_eq!(*before, now, "after {end} bytes"),
            None if now != Hello::Incomplete => settled = Some(now),
            None => {}
        }
    }
});

fn cuts(len: usize, step: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(step).chain([len])
}

/// One record that holds one ClientHello with this body.
fn framed(body: &[u8]) -> Vec<u8> {
    let body = &body[..body.len().min(16_000)];
    let mut out = vec![0x16, 3, 1];
    out.extend(u16::try_from(body.len() + 4).expect("it was cut").to_be_bytes());
    out.push(1);
    out.extend(&u32::try_from(body.len()).expect("it was cut").to_be_bytes()[1..]);
    out.extend(body);
    out
}
