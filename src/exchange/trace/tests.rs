//! What spans say, and how identities travel.

use bytes::Bytes;
use http::Method;

use super::*;
use crate::Target;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn headers(lines: &[(&'static str, String)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in lines {
        headers.append(*name, value.clone());
    }
    headers
}

#[track_caller]
fn travels(format: Format, lines: &[(&'static str, String)]) {
    let remote = format.read(&headers(lines)).expect("it is told");
    assert_eq!((remote.trace.to_string(), remote.span.to_string()), (TRACE.to_owned(), SPAN.to_owned()));
    assert!(remote.is_sampled);
    let mut written = Headers::new();
    format.write(&mut written, remote.trace, remote.span, true, "");
    assert_eq!(format.read(&written), Some(remote));
}

#[test]
fn every_format_is_read_and_written() {
    travels(Format::TraceContext, &[("traceparent", format!("00-{TRACE}-{SPAN}-01"))]);
    travels(Format::B3, &[("b3", format!("{TRACE}-{SPAN}-1"))]);
    travels(
        Format::B3Multi,
        &[("X-B3-TraceId", TRACE.into()), ("X-B3-SpanId", SPAN.into()), ("X-B3-Sampled", "1".into())],
    );
    travels(Format::Jaeger, &[("uber-trace-id", format!("{TRACE}:{SPAN}:0:1"))]);
}

#[test]
fn what_makes_no_sense_is_not_believed() {
    for text in [
        format!("00-{TRACE}-{SPAN}"),
        format!("ff-{TRACE}-{SPAN}-01"),
        format!("00-{TRACE}-{SPAN}-01-more"),
        format!("00-{}-{SPAN}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}é-{SPAN}-01"),
        "00-+1-2-3".to_owned(),
    ] {
        assert_eq!(Format::TraceContext.read(&headers(&[("traceparent", text.clone())])), None, "{text}");
    }
}

#[test]
fn spans_are_nested_and_tell_of_themselves() {
    let settings = TraceSettings {
        formats: vec![Format::TraceContext],
        request_headers: vec!["x-req".into()],
        safe_parameters: vec!["safe".into()],
        ..TraceSettings::default()
    };
    let mut trace = Trace::new(None, true, &Arc::new(settings));
    let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/x?a=1&safe=2")));
    request.host = Bytes::from_static(b"a.test:8080");
    request.headers.append("X-Req", "one");
    trace.serve(&request, "web", ([127, 0, 0, 1], 9).into(), false);
    let outer = trace.open("Retry", SpanKind::Internal);
    let called = trace.call("ReverseProxy", "https://[::1]/base", &mut request);
    trace.answered(called, 404, None);
    trace.again(1);
    trace.close(outer);
    let get = |span: usize, name: &str| {
        let found = trace.spans[span].attributes.iter().find(|(known, _)| &**known == name);
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(get(0, "url.query"), Some("a=REDACTED&safe=2".into()));
    assert_eq!(get(0, "server.port"), Some(8080.into()));
    assert_eq!(get(0, "http.request.header.x-req"), Some(Attribute::Texts(vec!["one".into()])));
    assert_eq!(get(2, "url.full"), Some("https://[::1]/x?a=REDACTED&safe=2".into()));
    assert_eq!((get(2, "server.address"), get(2, "server.port")), (Some("::1".into()), Some(443.into())));
    assert_eq!(get(3, "http.request.resend_count"), Some(1.into()));
    let parents: Vec<_> = trace.spans.iter().map(|span| span.parent).collect();
    let ids: Vec<_> = trace.spans.iter().map(|span| span.id).collect();
    assert_eq!(parents, [None, Some(ids[0]), Some(ids[1]), Some(ids[0])]);
    assert!(trace.spans[2].error.is_some() && trace.spans[0].ended.is_none());
    let told = format!("00-{}-{}-01", trace.id, ids[2]);
    assert_eq!(request.headers.get_str("traceparent"), Some(told.as_str()));
}

#[test]
fn without_a_sample_only_the_identity_travels() {
    let settings = TraceSettings { formats: vec![Format::TraceContext], ..TraceSettings::default() };
    let mut trace = Trace::new(None, false, &Arc::new(settings));
    let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/")));
    trace.serve(&request, "web", ([127, 0, 0, 1], 9).into(), false);
    let called = trace.call("ReverseProxy", "http://a", &mut request);
    trace.answered(called, 200, None);
    assert!(trace.is_empty());
    assert!(request.headers.get_str("traceparent").is_some_and(|told| told.ends_with("-00")));
}
