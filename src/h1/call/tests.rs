//! Calls to a scripted server over in-memory pipes.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Method, Target};

use super::*;

type Kept = Rc<RefCell<Option<Connection<DuplexStream>>>>;

fn get(path: &'static str) -> Request {
    let mut request = Request::new(Method::GET, Target::parse(path.into()));
    request.host = "x".into();
    request
}

fn post(body: Body) -> Request {
    let mut request = get("/");
    request.method = Method::POST;
    request.body = body;
    request
}

struct Seen {
    /// Status and body, or the failure.
    answer: String,
    /// The request as the server read it.
    request: String,
    kept: Option<Connection<DuplexStream>>,
    given_back: bool,
}

/// One call; the server reads until the text ends with `until`, writes its answer and, perhaps, closes.
async fn call(request: Request, options: &CallOptions, until: &str, answer: &str, closes: bool) -> Seen {
    let (near, mut far) = duplex(64 * 1024);
    call_on(Connection::new(near), &mut far, request, options, until, answer, closes).await
}

async fn call_on(
    connection: Connection<DuplexStream>,
    far: &mut DuplexStream,
    request: Request,
    options: &CallOptions,
    until: &str,
    answer: &str,
    closes: bool,
) -> Seen {
    let kept: Kept = Rc::default();
    let home = {
        let kept = kept.clone();
        move |connection| *kept.borrow_mut() = Some(connection)
    };
    let interim = Interim::default();
    let client = async {
        match connection.call(request, options, &interim, home).await {
            Ok(mut response) => {
                let mut text = response.status.as_u16().to_string();
                for (status, headers) in interim.take() {
                    text = format!("{} {headers:?}, {text}", status.as_u16());
                }
                while let Some(frame) = response.body.frame().await {
                    match frame {
                        Ok(Frame::Data(data)) => text = format!("{text} {}", String::from_utf8_lossy(&data)),
                        Ok(Frame::Trailers(lines)) => text = format!("{text} {lines:?}"),
                        Err(error) => text = format!("{text} {error:?}"),
                    }
                }
                (text, false)
            }
            Err(error) => (format!("{:?}", error.failure), error.request.is_some()),
        }
    };
    let server = async {
        let mut request = Vec::new();
        while !request.ends_with(until.as_bytes()) {
            assert!(far.read_buf(&mut request).await.unwrap() > 0, "{}", String::from_utf8_lossy(&request));
        }
        far.write_all(answer.as_bytes()).await.unwrap();
        if closes {
            far.shutdown().await.unwrap();
        }
        String::from_utf8(request).unwrap()
    };
    let ((answer, given_back), request) = tokio::join!(client, server);
    Seen { answer, request, kept: kept.take(), given_back }
}

#[track_caller]
fn assert_seen(seen: &Seen, answer: &str, is_kept: bool) {
    assert_eq!((seen.answer.as_str(), seen.kept.is_some()), (answer, is_kept));
}

#[tokio::test(start_paused = true)]
async fn requests_as_go_writes_them() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let options = CallOptions::default();
    let mut request = get("/p?q");
    request.headers = [
        ("x-lower", "1"),
        ("Connection", "close"),
        ("user-agent", "me"),
        ("Content-Length", "7"),
        ("Cookie", "a=1"),
        ("Transfer-Encoding", "x"),
        ("x-lower", "2"),
    ]
    .into_iter()
    .collect();
    let seen = call(request, &options, "\r\n\r\n", answer, false).await;
    assert_eq!(
        seen.request,
        "GET /p?q HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\nX-Lower: 1\r\nCookie: a=1\r\nX-Lower: 2\r\n\r\n"
    );
    assert_seen(&seen, "200 ok", true);
    let seen = call(post(Body::Empty), &options, "\r\n\r\n", answer, false).await;
    assert_eq!(seen.request, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    let seen = call(post(Body::from("abc")), &options, "abc", answer, false).await;
    assert_eq!(seen.request, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    let body = || Body::stream(Pieces(vec!["abc", "defg"], true));
    let seen = call(post(body()), &options, "0\r\n\r\n", answer, false).await;
    assert_eq!(
        seen.request,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    );
    assert_seen(&seen, "200 ok", true);
    let with_trailers = CallOptions { request_trailers: true, canonical_names: false, ..options };
    let seen = call(post(body()), &with_trailers, "x-t: 1\r\n\r\n", answer, false).await;
    assert!(seen.request.ends_with("\r\n0\r\nx-t: 1\r\n\r\n"), "{}", seen.request);
    let mut request = get("/");
    request.upgrade = Some("websocket".into());
    request.headers = [("Upgrade", "websocket"), ("Connection", "Upgrade")].into_iter().collect();
    let seen = call(request, &CallOptions::default(), "\r\n\r\n", answer, false).await;
    assert_eq!(seen.request, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

/// Data, and a trailer if so wished; one frame per poll.
struct Pieces(Vec<&'static str>, bool);

impl BodyStream for Pieces {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.0.is_empty() {
            let trailers =
                std::mem::take(&mut self.1).then(|| Ok(Frame::Trailers([("x-t", "1")].into_iter().collect())));
            return Poll::Ready(trailers);
        }
        Poll::Ready(Some(Ok(Frame::Data(self.0.remove(0).into()))))
    }
}

#[tokio::test(start_paused = true)]
async fn answers_and_what_becomes_of_the_connection() {
    let options = CallOptions::default();
    for (answer, closes, expected, is_kept) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, "200 ok", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "200", true),
        ("HTTP/1.1 204 No\r\n\r\n", false, "204", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", true, "200 ok", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", false, "200 ok", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, "200 ok", false),
        ("HTTP/1.1 200 OK\r\n\r\nok", true, "200 ok", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", true, "200 ok Incomplete", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false, "200 ok", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n",
            false,
            "200 ok {\"X\": \"1\"}",
            true,
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", true, "200 ok Incomplete", false),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n",
            false,
            "200 ok Malformed(\"a chunk is longer than its size\")",
            false,
        ),
        (
            "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false,
            "103 {\"Link\": \"a\"}, 200 ok",
            true,
        ),
        ("HTTP/1.1 101 Switching\r\n\r\n", false, "Malformed(\"switches protocols unasked\")", false),
        ("junk\r\n\r\n", false, "Malformed(\"the head is not HTTP\")", false),
    ] {
        let seen = call(get("/"), &options, "\r\n\r\n", answer, closes).await;
        assert_seen(&seen, expected, is_kept);
    }
    let mut head = get("/");
    head.method = Method::HEAD;
    let seen = call(head, &options, "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", false).await;
    assert_seen(&seen, "200", true);
    let cut = call(get("/"), &options, "\r\n\r\n", "HTTP/1.1 200 OK\r\nConte", true).await;
    assert!(cut.answer.starts_with("Malformed("), "{}", cut.answer);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_was_closed_is_stale() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (near, mut far) = duplex(1024);
    let options = CallOptions::default();
    let seen = call_on(Connection::new(near), &mut far, get("/"), &options, "\r\n\r\n", answer, false).await;
    let mut kept = seen.kept.unwrap();
    assert!(kept.is_usable());
    assert_eq!(kept.calls(), 1);
    let seen = call_on(kept, &mut far, post(Body::from("abc")), &options, "abc", "", true).await;
    assert!(seen.answer.starts_with("Stale("), "{}", seen.answer);
    assert!(seen.given_back);
    // One that said something first is not stale: the request arrived.
    let (near, mut far) = duplex(1024);
    let seen = call_on(Connection::new(near), &mut far, get("/"), &options, "\r\n\r\n", answer, false).await;
    let early = "HTTP/1.1 103 Early\r\n\r\n";
    let seen = call_on(seen.kept.unwrap(), &mut far, get("/"), &options, "\r\n\r\n", early, true).await;
    assert!(seen.answer.starts_with("Wait("), "{}", seen.answer);
    let small = CallOptions { max_head_bytes: 100, ..CallOptions::default() };
    let seen = call(get("/"), &small, "\r\n\r\n", &early.repeat(6), false).await;
    assert_eq!(seen.answer, "Malformed(\"too many interim answers\")");
    let fresh = call(get("/"), &options, "\r\n\r\n", "", true).await;
    assert!(fresh.answer.starts_with("Wait("), "{}", fresh.answer);
    // What a streamed body gave away cannot be given back.
    let body = Body::stream(Pieces(vec!["abc"], false));
    let seen = call(post(body), &options, "0\r\n\r\n", "", true).await;
    assert!(!seen.given_back);
    let (near, far) = duplex(1024);
    drop(far);
    assert!(!Connection::new(near).is_usable());
}

#[tokio::test(start_paused = true)]
async fn bodies_wait_for_continue() {
    let options = CallOptions::default();
    let expecting = |body: Body| {
        let mut request = post(body);
        request.headers.append("Expect", "100-continue");
        request
    };
    let streamed = || Body::stream(Pieces(vec!["abc"], false));
    for (body, sent) in [(Body::from("abc"), "abc"), (streamed(), "3\r\nabc\r\n0\r\n\r\n")] {
        let (near, mut far) = duplex(1024);
        let start = tokio::time::Instant::now();
        let client = async {
            let interim = Interim::default();
            let response = Connection::new(near).call(expecting(body), &options, &interim, drop).await.unwrap();
            (response.status.as_u16(), interim.take().len())
        };
        let server = async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                far.read_buf(&mut request).await.unwrap();
            }
            far.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            let mut body = vec![0; sent.len()];
            far.read_exact(&mut body).await.unwrap();
            assert_eq!(body, sent.as_bytes());
            far.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        };
        assert_eq!(tokio::join!(client, server).0, (200, 1));
        assert!(start.elapsed() < options.expect_continue_timeout);
    }
    // A server that says nothing gets it after a second.
    for (body, sent) in [(Body::from("abc"), "abc"), (streamed(), "3\r\nabc\r\n0\r\n\r\n")] {
        let start = tokio::time::Instant::now();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let seen = call(expecting(body), &options, sent, answer, false).await;
        assert_seen(&seen, "200", true);
        assert_eq!(start.elapsed(), options.expect_continue_timeout);
    }
    let answer = "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n";
    let seen = call(expecting(Body::from("abc")), &options, "\r\n\r\n", answer, false).await;
    assert_seen(&seen, "413", false);
}

#[tokio::test(start_paused = true)]
async fn a_server_may_be_slow_but_not_too_slow() {
    let options = CallOptions { response_header_timeout: Some(Duration::from_secs(3)), ..CallOptions::default() };
    let (near, _far) = duplex(1024);
    let start = tokio::time::Instant::now();
    let error = Connection::new(near).call(get("/"), &options, &Interim::default(), drop).await.unwrap_err();
    assert!(matches!(error.failure, CallFailure::Timeout));
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(Fault::from(error.failure).stage, Stage::Timeout);
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_is_read_while_the_body_goes_on() {
    let (near, far) = duplex(64);
    let long: &'static str = "x".repeat(100_000).leak();
    let client = async {
        let body = Body::stream(Pieces(vec![long], false));
        let options = CallOptions::default();
        let mut response = Connection::new(near).call(post(body), &options, &Interim::default(), drop).await.unwrap();
        response.body.collect(1 << 20).await.unwrap()
    };
    // Answers at once, and echoes chunk by chunk what it reads.
    let server = async {
        let (mut read, mut write) = tokio::io::split(far);
        write.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut total = 0;
        let mut piece = [0; 50];
        while total < long.len() {
            let len = read.read(&mut piece).await.unwrap();
            total += len;
            write.write_all(&piece[..len]).await.unwrap();
        }
        write.shutdown().await.unwrap();
    };
    let (echoed, ()) = tokio::join!(client, server);
    assert!(echoed.len() >= long.len());
}

#[tokio::test(start_paused = true)]
async fn upgrades_yield_the_stream() {
    let (near, mut far) = duplex(1024);
    let mut request = get("/");
    request.upgrade = Some(Bytes::from_static(b"foo"));
    let client = async {
        let options = CallOptions::default();
        let response = Connection::new(near).call(request, &options, &Interim::default(), drop).await.unwrap();
        assert_eq!(response.headers.get("upgrade"), Some(&b"foo"[..]));
        let mut stream = response.upgrade.unwrap();
        stream.write_all(b"ping").await.unwrap();
        let mut text = [0; 9];
        stream.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"earlypong");
    };
    let server = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut request).await.unwrap();
        }
        far.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nearly")
            .await
            .unwrap();
        far.read_exact(&mut [0; 4]).await.unwrap();
        far.write_all(b"pong").await.unwrap();
    };
    tokio::join!(client, server);
}
