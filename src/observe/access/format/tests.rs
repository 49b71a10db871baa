use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use trafficcop_config::settings::observability::AccessLogFields;
use trafficcop_exchange::{ConnectionInfo, Headers, Method, RouteInfo, ServerInfo, StatusCode, Target};

use super::*;

fn exchange() -> Exchange {
    let mut exchange = Exchange::new(Rc::new(ConnectionInfo::new(
        "web".into(),
        "127.0.0.1:5000".parse().unwrap(),
        "127.0.0.1:80".parse().unwrap(),
        None,
    )));
    let (router, service) = ("r@file".into(), "a@file".into());
    let info = RouteInfo { router, service, access_logs: true, metrics: true, tracing: true, detailed: false };
    exchange.route = Some(Arc::new(info));
    let (url, address) = ("http://127.0.0.1:90".into(), "127.0.0.1:90".into());
    exchange.server = Some(Arc::new(ServerInfo { service: "a@file".into(), url, address }));
    exchange
}

fn written(format: Format, headers: &[(&'static str, &'static str)], settings: &AccessLogFields) -> String {
    written_of(&exchange(), format, headers, settings)
}

fn written_of(
    exchange: &Exchange,
    format: Format,
    headers: &[(&'static str, &'static str)],
    settings: &AccessLogFields,
) -> String {
    let mut kept = Kept {
        method: Method::GET,
        target: Target::parse("/x?y=\"1".into()),
        host: "a.test:81".into(),
        version: Version::HTTP_11,
        headers: Headers::new(),
        answer: Headers::new(),
        count: 7,
    };
    for (name, value) in headers {
        kept.headers.append(*name, *value);
    }
    let outcome = Outcome {
        status: StatusCode::OK,
        bytes_in: 0,
        bytes_out: 2,
        duration: Duration::from_millis(3),
        complete: true,
    };
    let ended: jiff::Timestamp = "2026-11-21T06:30:00.003Z".parse().unwrap();
    let ended = ended.as_duration().try_into().unwrap();
    let fields = Fields::new(settings);
    let line = Line { kept: &kept, exchange, outcome: &outcome, ended, fields: &fields };
    let mut text = Vec::new();
    format.line(&line, &mut text);
    String::from_utf8(text).unwrap()
}

fn keeping_headers() -> AccessLogFields {
    let mut settings = AccessLogFields::default();
    settings.headers.default_mode = "keep".into();
    settings.headers.names.insert("Cookie".into(), "redact".into());
    settings
}

#[test]
fn the_common_layout() {
    let expected = "127.0.0.1 - - [21/Nov/2026:06:30:00 +0000] \"GET /x?y=\\\"1 HTTP/1.1\" 200 2 \"-\" \"-\" 7 \
                    \"r@file\" \"http://127.0.0.1:90\" 3ms\n";
    assert_eq!(written(Format::Common, &[("User-Agent", "curl")], &AccessLogFields::default()), expected);
}

#[test]
fn the_generic_layout_ends_earlier() {
    let expected = "127.0.0.1 - - [21/Nov/2026:06:30:00 +0000] \"GET /x?y=\\\"1 HTTP/1.1\" 200 2 \"-\" \"curl\"\n";
    assert_eq!(written(Format::GenericClf, &[("User-Agent", "curl")], &keeping_headers()), expected);
}

#[test]
fn clients_cannot_break_out_of_their_field() {
    let nasty = [("User-Agent", "a\\\" 200 \u{1b}[2J\r\n"), ("X-Forwarded-For", "1.1.1.1 - evil \"")];
    let line = written(Format::GenericClf, &nasty, &keeping_headers());
    let expected = "1.1.1.1\\x20-\\x20evil\\x20\\\" - - [21/Nov/2026:06:30:00 +0000] \"GET /x?y=\\\"1 HTTP/1.1\" 200 2 \
                    \"-\" \"a\\\\\\\" 200 \\x1b[2J\\x0d\\x0a\"\n";
    assert_eq!(line, expected);
}

#[test]
fn dropped_fields_print_as_missing() {
    let mut settings = AccessLogFields { default_mode: "drop".into(), ..AccessLogFields::default() };
    settings.names.insert("RequestPath".into(), "keep".into());
    let expected = "- - - [-] \"- /x?y=\\\"1 -\" - - \"-\" \"-\" - \"-\" \"-\" 0ms\n";
    assert_eq!(written(Format::Common, &[], &settings), expected);
}

#[test]
fn the_json_layout() {
    let headers = [("cookie", "secret"), ("X-a", "1"), ("x-A", "2\n")];
    let line = written(Format::Json, &headers, &keeping_headers());
    assert_eq!(line.matches('\n').count(), 1);
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
    for volatile in ["StartLocal", "time"] {
        assert!(object.remove(volatile).is_some(), "{volatile}");
    }
    let expected = serde_json::json!({
        "ClientAddr": "127.0.0.1:5000", "ClientHost": "127.0.0.1", "ClientPort": "5000", "ClientUsername": "-",
        "DownstreamContentSize": 2, "DownstreamStatus": 200, "Duration": 3_000_000, "GzipRatio": 0,
        "OriginContentSize": 0, "OriginDuration": 0, "OriginStatus": 0, "Overhead": 3_000_000,
        "RequestAddr": "a.test:81", "RequestContentSize": 0, "RequestCount": 7, "RequestHost": "a.test",
        "RequestMethod": "GET", "RequestPath": "/x?y=\"1", "RequestPort": "81", "RequestProtocol": "HTTP/1.1",
        "RequestScheme": "http", "RetryAttempts": 0, "RouterName": "r@file", "ServiceAddr": "127.0.0.1:90",
        "ServiceName": "a@file", "ServiceURL": "http://127.0.0.1:90", "StartUTC": "2026-11-21T06:30:00Z",
        "entryPointName": "web", "level": "info", "msg": "", "request_Cookie": "REDACTED", "request_X-A": "1,2\n",
    });
    assert_eq!(serde_json::Value::Object(object), expected);
}

#[test]
fn what_is_remembered_of_a_way_is_that_ways_own() {
    let (one, mut other) = (exchange(), exchange());
    other.server = one.server.clone();
    let (router, service) = ("\"r\"@file".into(), "a@file".into());
    let info = RouteInfo { router, service, access_logs: true, metrics: true, tracing: true, detailed: false };
    other.route = Some(Arc::new(info));
    let mut nowhere = exchange();
    nowhere.server = None;
    let all = AccessLogFields::default();
    let mut few = AccessLogFields { default_mode: "drop".into(), ..AccessLogFields::default() };
    few.names.insert("RouterName".into(), "keep".into());
    for _ in 0..2 {
        let line = |exchange, settings| written_of(exchange, Format::Json, &[], settings);
        let server =
            r#","ServiceAddr":"127.0.0.1:90","ServiceName":"a@file","ServiceURL":"http://127.0.0.1:90","Start"#;
        assert!(line(&one, &all).contains(&format!("\"RouterName\":\"r@file\"{server}")));
        assert!(line(&other, &all).contains(&format!("\"RouterName\":\"\\\"r\\\"@file\"{server}")));
        assert!(line(&nowhere, &all).contains("\"RouterName\":\"r@file\",\"Start"));
        assert!(line(&one, &few).starts_with("{\"RouterName\":\"r@file\",\"level\""));
    }
}

/// What CrowdSec's parser of Traefik's common layout looks for, its words spelled out.
const CROWDSEC: &str = concat!(
    r#"^(?<remote_addr>[0-9a-f.:]+) - (?<remote_user>[A-Za-z.@+_%-]+) "#,
    r#"\[(?<time_local>\d{2}/\w{3}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\] "#,
    r#""(?<verb>\w+) (?<request>.*?) HTTP/(?<http_version>[0-9.]+)" (?<status>\d+) (?<body_bytes_sent>\d+) "#,
    r#""(?<http_referer>[^"]*)" "(?<http_user_agent>[^"]*)" (?<number>\d+) "(?<router>[^"]*)" "(?<server>[^"]*)" "#,
    r#"(?<duration>\d+)ms$"#,
);
/// What fail2ban's filter `traefik-auth` looks for once it has taken the time away.
const FAIL2BAN: &str = r#"^(?<host>[0-9a-f.:]+) - (?<user>\S+) \[\] "(?:GET|POST|HEAD) [^"]+" 401\b"#;

#[test]
fn the_patterns_of_crowdsec_and_fail2ban_match() {
    let line = written(Format::Common, &[("User-Agent", "curl/8"), ("Referer", "http://r")], &keeping_headers());
    let found = regex::Regex::new(CROWDSEC).unwrap();
    let found = found.captures(line.trim_end()).unwrap_or_else(|| panic!("CrowdSec would not read {line}"));
    assert_eq!((&found["remote_addr"], &found["verb"], &found["status"]), ("127.0.0.1", "GET", "200"));
    assert_eq!((&found["router"], &found["server"]), ("r@file", "http://127.0.0.1:90"));

    // The filter takes no quote within the request, not even an escaped one.
    let denied = line.replacen("- -", "- bob", 1).replacen(" 200 ", " 401 ", 1).replacen(r#"?y=\"1"#, "", 1);
    let begin = denied.find('[').unwrap() + 1;
    let end = denied.find(']').unwrap();
    let timeless = format!("{}{}", &denied[..begin], &denied[end..]);
    let filter = regex::Regex::new(FAIL2BAN).unwrap();
    let found = filter.captures(&timeless).unwrap_or_else(|| panic!("fail2ban would not read {timeless}"));
    assert_eq!((&found["host"], &found["user"]), ("127.0.0.1", "bob"));
    let hostile = written(Format::Common, &[("User-Agent", "x\" 401 \"-")], &keeping_headers());
    let timeless = format!("{}{}", &hostile[..=hostile.find('[').unwrap()], &hostile[hostile.find(']').unwrap()..]);
    assert!(!filter.is_match(&timeless), "a client put a 401 into its own line: {hostile}");
}
