use proptest::prelude::*;

use super::{ClientHello, Hello, MAX_HELLO, read};

fn short(data: &[u8]) -> Vec<u8> {
    [&[data.len() as u8], data].concat()
}

fn long(data: &[u8]) -> Vec<u8> {
    [&(data.len() as u16).to_be_bytes(), data].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &long(data)].concat()
}

fn name(name: &str) -> Vec<u8> {
    extension(0, &long(&[&[0][..], &long(name.as_bytes())].concat()))
}

fn alpn(protocols: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = protocols.iter().flat_map(|protocol| short(protocol.as_bytes())).collect();
    extension(16, &long(&list))
}

/// The message, with its header.
fn message(extensions: &[Vec<u8>]) -> Vec<u8> {
    let body = [
        &[3, 3][..],
        &[7; 32],
        &short(&[1; 32]),
        &long(&[0x0a, 0x0a, 0x13, 0x01]),
        &short(&[0]),
        &long(&extensions.concat()),
    ]
    .concat();
    [&[1, 0][..], &long(&body)].concat()
}

/// The message in records of that size.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    message.chunks(size).flat_map(|chunk| [&[0x16, 3, 1][..], &long(chunk)].concat()).collect()
}

fn found(server_name: &str, alpn: &[&str]) -> Hello {
    let alpn = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Hello::Found(ClientHello { server_name: server_name.to_owned(), alpn })
}

#[track_caller]
fn check(extensions: &[Vec<u8>], expected: &Hello) {
    assert_eq!(read(&records(&message(extensions), 16 << 10)), *expected);
}

#[test]
fn names_and_protocols_are_found() {
    check(&[], &found("", &[]));
    check(&[name("Shop.Example")], &found("shop.example", &[]));
    check(&[alpn(&["h2", "http/1.1"])], &found("", &["h2", "http/1.1"]));
    let grease = |kind| extension(kind, &[0]);
    check(
        &[grease(0x0a0a), alpn(&["\u{a}\u{a}", "h2"]), name("a"), grease(0x1a1a)],
        &found("a", &["\u{a}\u{a}", "h2"]),
    );
}

#[test]
fn every_beginning_is_incomplete_and_records_are_put_together() {
    let message = message(&[name("a.example"), alpn(&["h2"])]);
    for size in [1, 3, 50, 16 << 10] {
        let bytes = records(&message, size);
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Hello::Incomplete, "{end} bytes of records of {size}");
        }
        assert_eq!(read(&bytes), found("a.example", &["h2"]));
        assert_eq!(
            read(&[bytes, vec![0x14, 3, 3]].concat()),
            found("a.example", &["h2"]),
            "what follows does not count"
        );
    }
}

#[test]
fn other_protocols_are_not_tls() {
    assert_eq!(read(b"GET / HTTP/1.1\r\n"), Hello::NotTls);
    assert_eq!(read(&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), Hello::NotTls);
    assert_eq!(read(&[0x80, 46, 1]), found("", &[]));
}

#[test]
fn what_a_server_would_refuse_is_broken() {
    check(&[name("")], &Hello::Broken);
    check(&[name("a.")], &Hello::Broken);
    check(&[name("a"), name("b")], &Hello::Broken);
    check(&[alpn(&["h2"]), alpn(&["h3"])], &Hello::Broken);
    check(&[extension(77, &[]), extension(77, &[])], &Hello::Broken);
    check(&[alpn(&[])], &Hello::Broken);
    check(&[alpn(&[""])], &Hello::Broken);
    check(&[extension(0, &[0, 9, 0])], &Hello::Broken);
    let good = records(&message(&[name("a")]), 16 << 10);
    for (place, value) in [(1, 0x10), (3, 0x50), (5, 2), (6, 2)] {
        let mut bytes = good.clone();
        bytes[place] = value;
        assert_eq!(read(&bytes), Hello::Broken, "byte {place} is {value}");
    }
    assert_eq!(read(&[0x16, 3, 1, 0, 0]), Hello::Broken, "an empty record");
    let mut mixed = records(&message(&[name("a")]), 50);
    mixed[55] = 0x15;
    assert_eq!(read(&mixed), Hello::Broken, "an alert between");
}

#[test]
fn size_is_bounded() {
    let mut endless = vec![0x16, 3, 1, 0x40, 0, 1, 1, 0, 0];
    endless.resize(5 + (16 << 10), 0);
    endless = [endless.clone(), vec![0x16, 3, 1, 0x40, 0], vec![0; 100]].concat();
    assert_eq!(read(&endless), Hello::Incomplete);
    let mut tiny = vec![0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 1, 0, 0x16, 3, 1, 0, 1, 0xff];
    while tiny.len() < MAX_HELLO {
        tiny.extend([0x16, 3, 1, 0, 1, 0]);
    }
    assert_eq!(read(&tiny), Hello::Broken, "too many records");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
        read(&[&[0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc], &bytes[..]].concat());
    }

    #[test]
    fn no_change_makes_it_panic(place in 0_usize..140, value: u8, size in 1_usize..200) {
        let mut bytes = records(&message(&[name("a.example"), alpn(&["h2"])]), size);
        if let Some(byte) = bytes.get_mut(place) {
            *byte = value;
        }
        read(&bytes);
    }
}
