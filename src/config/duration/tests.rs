use proptest::prelude::*;

use super::Duration;

#[track_caller]
fn check(text: &str, nanos: impl Into<Option<i64>>) {
    assert_eq!(text.parse::<Duration>().ok().map(Duration::as_nanos), nanos.into(), "{text}");
}

#[test]
fn parses_what_go_parses() {
    check("0", 0);
    check("5", 5_000_000_000);
    check("-1", -1_000_000_000);
    check("10s", 10_000_000_000);
    check("1m30s", 90_000_000_000);
    check("1.5h", 5_400_000_000_000);
    check(".5s", 500_000_000);
    check("5.s", 5_000_000_000);
    check("100ms", 100_000_000);
    check("3us", 3_000);
    check("3\u{b5}s", 3_000);
    check("3\u{3bc}s", 3_000);
    check("7ns", 7);
    check("-1h", -3_600_000_000_000);
    check("+5s", 5_000_000_000);
    check("9223372036854775807ns", i64::MAX);
    check("-9223372036854775808ns", i64::MIN);
    check("0.3333333333333333333h", 1_200_000_000_000 - 1);
}

#[test]
fn refuses_what_go_refuses() {
    for text in ["", "-", "+", "s", ".s", "10 s", "10S", "1d", "1m30", " 5s", "1.2.3s", "abc", "1e3s"] {
        check(text, None);
    }
    check("9223372036854775808ns", None);
    check("9223372037", None);
    check("3000000h", None);
}

#[track_caller]
fn shows(nanos: i64, text: &str) {
    assert_eq!(Duration::from_nanos(nanos).to_string(), text);
}

#[test]
fn shows_itself_as_go_does() {
    shows(0, "0s");
    shows(1, "1ns");
    shows(1_100, "1.1\u{b5}s");
    shows(2_200_000, "2.2ms");
    shows(100_000_000, "100ms");
    shows(3_300_000_000, "3.3s");
    shows(90_000_000_000, "1m30s");
    shows(60_000_000_000, "1m0s");
    shows(3_600_000_000_000, "1h0m0s");
    shows(245_005_000_000, "4m5.005s");
    shows(-1, "-1ns");
    shows(i64::MAX, "2562047h47m16.854775807s");
    shows(i64::MIN, "-2562047h47m16.854775808s");
}

proptest! {
    #[test]
    fn what_is_shown_can_be_read_back(nanos: i64) {
        let shown = Duration::from_nanos(nanos).to_string();
        prop_assert_eq!(shown.parse(), Ok(Duration::from_nanos(nanos)));
    }
}
