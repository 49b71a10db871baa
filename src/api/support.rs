//! `/api/support-dump`: what somebody who helps needs to see, as one file. What may be a secret or tell who the user is
//! shows as `xxxx`, as in Traefik's.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde_json::{Value, json};
use trafficcop_config::settings::Settings;
use trafficcop_snapshot::Snapshot;

use crate::answer::{Answer, encode};
use crate::raw;

/// A tar file is made of blocks.
const BLOCK: usize = 512;
/// Texts under these keys are hidden, wherever they stand.
const HIDDEN: [&str; 17] = [
    "address",
    "caServer",
    "cert",
    "defaultRule",
    "email",
    "endpoint",
    "endpoints",
    "filePath",
    "headers",
    "hmacEncoded",
    "key",
    "kid",
    "password",
    "rootKey",
    "token",
    "url",
    "username",
];

/// The whole file. `version` is the answer of `/api/version`.
pub(crate) fn dump(settings: &Settings, snapshot: &Snapshot, version: &str) -> Answer {
    let version: Value = serde_json::from_str(version).unwrap_or_default();
    let version = json!({
        "version": version["Version"],
        "codename": version["Codename"],
        "startDate": version["startDate"],
    });
    let mut fixed = serde_json::to_value(settings).unwrap_or_default();
    hide(&mut fixed, false);
    let files = [
        ("version.json", encode(&version)),
        ("static-config.json", encode(&fixed)),
        ("runtime-config.json", encode(&raw::raw(snapshot))),
    ];
    let modified = Timestamp::now().as_second();
    let mut tar = Vec::new();
    for (name, text) in files {
        tar.extend(header(name, text.len(), modified));
        tar.extend(text.as_bytes());
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let written = packed.write_all(&tar).and_then(|()| packed.finish());
    Answer::File { name: "support-dump.tar.gz", content_type: "application/gzip", bytes: written.unwrap_or_default() }
}

/// Replaces every text below a key that is hidden; numbers and switches stay.
fn hide(value: &mut Value, is_hidden: bool) {
    match value {
        Value::String(text) if is_hidden && !text.is_empty() => "xxxx".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, is_hidden)),
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(key, field)| hide(field, is_hidden || HIDDEN.contains(&key.as_str())));
        }
        _ => {}
    }
}

/// The head of a file in a tar file: readable by its owner, who is nobody.
fn header(name: &str, length: usize, modified: i64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000600\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{length:011o}\0"));
    put(136, &format!("{modified:011o}\0"));
    // The sum is made as if blanks stood in its place.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_the_user_is_hidden() {
        let mut value = json!({ "redis": { "endpoints": ["a:1"], "password": "p", "db": 3, "rootKey": "" }, "headers": { "X": "y" } });
        hide(&mut value, false);
        let expected = json!({ "redis": { "endpoints": ["xxxx"], "password": "xxxx", "db": 3, "rootKey": "" }, "headers": { "X": "xxxx" } });
        assert_eq!(value, expected);
    }

    #[test]
    fn the_head_of_a_file_has_the_right_sum() {
        let block = header("a.json", 5, 0);
        let told = std::str::from_utf8(&block[148..154]).unwrap();
        let mut blank = block;
        blank[148..156].fill(b' ');
        let sum: u32 = blank.iter().copied().map(u32::from).sum();
        assert_eq!(u32::from_str_radix(told, 8).unwrap(), sum);
        assert_eq!(&block[257..265], b"ustar\x0000");
    }
}
