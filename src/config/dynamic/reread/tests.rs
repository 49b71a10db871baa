//! However a document changes, reading the change is reading the whole.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const BASE: &str = "\
# all of it
tls:
  certificates:
    - certFile: a
http:
  routers:
    a: {rule: 'Host(`a`)', service: s}
    b:
      rule: Host(`b`)
      service: s
      entryPoints:
      - web

    # about c
    c: {rule: 'Host(`c`)', service: s}
  services:
    s: {loadBalancer: {servers: [{url: 'http://h'}]}}
    t:
      loadBalancer:
        servers:
          - url: http://h
  middlewares:
    m: {stripPrefix: {prefixes: [/a]}}
tcp:
  routers:
    t: {rule: 'HostSNI(`*`)', service: t}
  services:
    t: {loadBalancer: {servers: [{address: 'h:1'}]}}
";

const LINES: &[&str] = &[
    "    d: {rule: 'Host(`d`)', service: s}",
    "    A: {rule: 'Host(`d`)', service: s}",
    "    c: {rule: 'Host(`d`)', service: s}",
    "    e:",
    "      rule: Host(`e`)",
    "      service: t",
    "      priority: 3",
    "      ruel: x",
    "  services:",
    "  routers:",
    "http:",
    "udp:",
    "",
    "# c",
    "      - x",
    "    - x",
    "   odd: {rule: x}",
    "---",
    "    é: {rule: x}",
    "    x: {rule: x",
    "    n: {stripPrefix: {prefixes: [/b]}}",
    "    u: {loadBalancer: {servers: [{url: 'http://i'}]}}",
    "        middlewares: [m]",
    "    - certFile: b",
];

fn read(text: &str, before: Option<&Document>) -> Result<Document, ConfigErrors> {
    Document::read(text, Format::Yaml, "f.yml", before)
}

/// Whether the change was read by itself; panics if it is not what reading the whole is.
#[track_caller]
fn agrees(before: &Document, text: &str) -> bool {
    let found = changed(before, text, "f.yml");
    if let Some(found) = &found {
        let whole = read(text, None).unwrap_or_else(|errors| panic!("{text}\nis an error: {errors}"));
        assert_eq!(format!("{found:#?}"), format!("{:#?}", whole.configuration), "{text}");
    }
    found.is_some()
}

#[test]
fn usual_changes_are_read_by_themselves() {
    let before = read(BASE, None).expect("it is good");
    assert!(before.is_plain);
    let check = |from: &str, to: &str| {
        assert!(BASE.contains(from), "{from}");
        assert!(agrees(&before, &BASE.replacen(from, to, 1)), "{from} → {to}");
    };
    check("Host(`a`)", "Host(`aa`)");
    check("Host(`b`)", "Host(`bb`)");
    check("    c: {", "    cc: {");
    check("    # about c\n", "");
    check("    c: {rule: 'Host(`c`)', service: s}\n", "");
    check("    c: {", "    bb: {rule: 'Host(`x`)', service: t}\n    c: {");
    check("  services:\n    s:", "    z: {rule: 'Host(`x`)', service: t}\n  services:\n    s:");
    check("    a: {", "    0a: {rule: 'Host(`x`)', service: t}\n    a: {");
    check("url: http://h", "url: http://i\n          - url: http://j");
    check("[/a]", "[/b]");
    check("{address: 'h:1'}", "{address: 'h:2'}");
}

#[test]
fn other_changes_are_read_whole() {
    let before = read(BASE, None).expect("it is good");
    let check = |from: &str, to: &str| {
        assert!(BASE.contains(from), "{from}");
        assert!(!agrees(&before, &BASE.replacen(from, to, 1)), "{from} → {to}");
    };
    check("certFile: a", "certFile: b");
    check("  middlewares:", "  serversTransports:");
    check("    c: {", "    a: {");
    check("    c: {", "    A: {");
    check("rule: Host(`b`)", "ruel: Host(`b`)");
    check("    b:\n", "");
    check("  services:\n", "");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_is_read_as_the_whole(edits in prop::collection::vec((any::<Index>(), 0..3_u8, select(LINES)), 1..5)) {
        let before = read(BASE, None).expect("it is good");
        let mut lines: Vec<_> = BASE.split('\n').collect();
        for (at, how, line) in edits {
            let at = at.index(lines.len());
            match how {
                0 => lines.insert(at, line),
                1 => lines[at] = line,
                _ => drop(lines.remove(at)),
            }
            if lines.is_empty() {
                return Ok(());
            }
        }
        agrees(&before, &lines.join("\n"));
    }
}
