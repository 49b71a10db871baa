//! hyper as a second opinion: the same bytes, well-formed and mutated, go to both engines. Where both take a request
//! they must see the same one, body and all; where they disagree, the difference must be one of those named below.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use trafficcop_exchange::{Interim, Request, Response, StatusCode};
use trafficcop_h1::{Drain, Handler, ServeOptions, serve};

/// What a handler saw of one request. A body that broke off is none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    line: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

type Log = Rc<RefCell<Vec<Seen>>>;

struct Ours(Log);

impl Handler for Ours {
    async fn call(&self, mut request: Request, _: Interim) -> Response {
        let mut headers = vec![("host".to_owned(), request.host.to_vec())];
        headers.extend(request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())));
        let line = format!("{} {}", request.method, request.target.to_uri());
        let index = self.0.borrow().len();
        self.0.borrow_mut().push(Seen { line, headers: tidy(headers), body: None });
        if let Ok(body) = request.body.collect(1 << 20).await {
            self.0.borrow_mut()[index].body = Some(body.to_vec());
        }
        Response::new(StatusCode::NO_CONTENT)
    }
}

async fn theirs(log: Log, request: hyper::Request<Incoming>) -> Result<hyper::Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let index = log.borrow().len();
    log.borrow_mut().push(Seen { line: format!("{} {target}", head.method), headers: tidy(headers), body: None });
    if let Ok(body) = body.collect().await {
        log.borrow_mut()[index].body = Some(body.to_bytes().to_vec());
    }
    Ok(hyper::Response::builder().status(204).body(Empty::new()).expect("a constant answer"))
}

/// In one order, without what one engine keeps among the headers and the other interprets.
fn tidy(mut headers: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    headers.retain(|(name, value)| {
        let is_framing = matches!(name.as_str(), "transfer-encoding" | "content-length" | "trailer");
        !(is_framing || name == "host" && value.is_empty())
    });
    headers.sort();
    headers
}

/// All requests in the bytes, as each engine sees them, and what ours answered.
async fn both(input: &[u8]) -> (Vec<Seen>, Vec<Seen>, String) {
    let (ours, hypers) = (Log::default(), Log::default());
    let (mut near, far) = duplex(1 << 20);
    near.write_all(input).await.expect("there is room");
    near.shutdown().await.expect("open");
    let (options, drain, handler) = (ServeOptions::default(), Drain::new(), Ours(ours.clone()));
    let mut answered = Vec::new();
    let _ = tokio::join!(serve(far, Bytes::new(), &options, &drain, &handler), near.read_to_end(&mut answered));

    let (mut near, far) = duplex(1 << 20);
    near.write_all(input).await.expect("there is room");
    near.shutdown().await.expect("open");
    let log = hypers.clone();
    let service = service_fn(move |request| theirs(log.clone(), request));
    let connection =
        hyper::server::conn::http1::Builder::new().half_close(true).serve_connection(TokioIo::new(far), service);
    let mut answers = Vec::new();
    let _ = tokio::join!(connection, near.read_to_end(&mut answers));
    (ours.take(), hypers.take(), String::from_utf8_lossy(&answered).into_owned())
}

fn compare(input: &[u8]) -> Result<(), TestCaseError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let (ours, theirs, answered) = runtime.block_on(both(input));
    let text = String::from_utf8_lossy(input);
    for (index, pair) in ours.iter().zip(&theirs).enumerate() {
        let (mine, other) = pair;
        if is_choice(input, index) {
            return Ok(());
        }
        prop_assert_eq!(mine, other, "request {} of {:?}", index, text);
        // Behind a body that broke off, nothing is comparable.
        if mine.body.is_none() {
            return Ok(());
        }
    }
    if ours.len() > theirs.len() {
        prop_assert!(is_lenient(input), "only we take request {} of {:?}", theirs.len(), text);
    } else if ours.len() < theirs.len() {
        prop_assert!(is_strict(input, &answered), "only hyper takes request {} of {:?}", ours.len(), text);
    }
    Ok(())
}

/// What we take on purpose and hyper does not, as Go does.
fn is_lenient(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let folded = ["\n ", "\n\t"].iter().any(|fold| text.contains(fold));
    let minor = text.split("HTTP/1.").skip(1).any(|rest| rest.starts_with(|digit| ('2'..='9').contains(&digit)));
    // Targets with characters that its URI type refuses.
    let target = text.lines().any(|line| {
        line.contains(" HTTP/1.")
            && line.split(' ').nth(1).is_some_and(|target| {
                !target.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/?=&%-._~:".contains(&byte))
            })
    });
    // A stray CR after a form, which Go skips with the line ends that some clients send there.
    let stray = text.contains("POST ") && ["\rG", "\rP"].iter().any(|request| text.contains(request));
    // Trailing blanks after a chunk size, a Content-Length beside chunked in HTTP/1.0, and the like.
    folded || minor || target || stray || has_chunks(&text)
}

/// What we refuse on purpose and hyper does not: see `head/tests.rs` for each of them.
fn is_strict(input: &[u8], answered: &str) -> bool {
    let named = ["missing required Host", "malformed Host", "Unsupported transfer encoding", "417 "];
    let text = String::from_utf8_lossy(input);
    // Left without a name: two Hosts, lengths that are overruled, empty lines before a request, targets that are no URI.
    let mut hosts = text.lines().filter(|line| line.to_ascii_lowercase().starts_with("host:"));
    let has_hosts = hosts.nth(text.matches("HTTP/1.").count()).is_some() || text.matches("Host:").count() > 1;
    let has_empty_line = text.starts_with(['\r', '\n']) || text.contains("\n\r\n\r\n") || text.contains("\n\n\r\n");
    named.iter().any(|reason| answered.contains(reason))
        || has_hosts
        || has_empty_line
        || has_chunks(&text)
        || text.contains('%')
        || lines_of_requests(&text).any(|target| !target.starts_with('/'))
}

/// The targets of all that looks like a request line.
fn lines_of_requests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.contains("HTTP/1.")).map(|line| line.split(' ').nth(1).unwrap_or_default())
}

fn has_chunks(text: &str) -> bool {
    text.to_ascii_lowercase().contains("transfer-encoding")
}

/// Where both take a request and see it differently on purpose: targets without a path, and paths that Go escapes.
fn is_choice(input: &[u8], _index: usize) -> bool {
    let text = String::from_utf8_lossy(input);
    text.lines().filter(|line| line.contains(" HTTP/1.")).any(|line| {
        line.split(' ').nth(1).is_none_or(|target| {
            !target.starts_with('/') || target.bytes().any(|byte| b"\"<>\\^`{|}#".contains(&byte) || !byte.is_ascii())
        })
    })
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        Just((String::new(), String::new())),
        "[a-z]{0,30}".prop_map(|body| (format!("Content-Length: {}\r\n", body.len()), body)),
        prop::collection::vec("[a-z]{1,9}", 0..4).prop_map(|chunks| {
            let chunks: Vec<_> = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
            let chunks = chunks.concat();
            ("Transfer-Encoding: chunked\r\n".to_owned(), format!("{chunks}0\r\n\r\n"))
        }),
    ];
    let lines = prop::collection::vec(("[Xx]-[a-z]{1,6}", "[ -~]{0,12}"), 0..4);
    ("GET|POST|PUT", "/[a-z/]{0,8}(\\?[a-z=&]{0,6})?", lines, body).prop_map(
        |(method, target, lines, (length, body))| {
            let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {}\r\n", value.trim())).collect();
            let lines = lines.concat();
            format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{lines}{length}\r\n{body}").into_bytes()
        },
    )
}

/// Where, what, and how: put in, put over, or taken out.
fn mutations(most: usize) -> impl Strategy<Value = Vec<(prop::sample::Index, Vec<u8>, u8)>> {
    let piece = prop::sample::select(vec![
        &b"\r"[..],
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b":",
        b"0",
        b"1",
        b"a",
        b";",
        b",",
        b"\0",
        b"\x80",
        b"/",
        b"%",
        b"chunked",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Host: y\r\n",
        b"\r\n\r\n",
        b"HTTP/1.0",
    ]);
    prop::collection::vec((any::<prop::sample::Index>(), piece.prop_map(<[u8]>::to_vec), 0_u8..3), 0..=most)
}

fn mutate(mut text: Vec<u8>, mutations: &[(prop::sample::Index, Vec<u8>, u8)]) -> Vec<u8> {
    for (at, piece, how) in mutations {
        if text.is_empty() {
            break;
        }
        let at = at.index(text.len());
        let end = match how {
            0 => at,
            1 => (at + piece.len()).min(text.len()),
            _ => (at + 1).min(text.len()),
        };
        text.splice(at..end, if *how == 2 { Vec::new() } else { piece.clone() });
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed(messages in prop::collection::vec(message(), 1..4)) {
        compare(&messages.concat())?;
    }

    #[test]
    fn mutated(messages in prop::collection::vec(message(), 1..3), mutations in mutations(3)) {
        compare(&mutate(messages.concat(), &mutations))?;
    }
}
