//! How connections end: deadlines, drains, clients that go away, protocols that take over.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use trafficcop_exchange::BodyError;

use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\n\r\nx";

fn x(_: Request, _: Interim) -> impl Future<Output = Response> {
    text("x")
}

#[tokio::test(start_paused = true)]
async fn deadlines() {
    let second = |seconds| Some(Duration::from_secs(seconds));
    let options = ServeOptions { read_timeout: second(2), idle_timeout: second(5), ..ServeOptions::default() };
    for (input, end, after) in [
        ("", End::ReadTimeout, 2),
        ("GET / HTTP/1.1\r\nHost", End::ReadTimeout, 2),
        (GET, End::Idle, 5),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /", End::ReadTimeout, 2),
    ] {
        let start = tokio::time::Instant::now();
        let (_, served) = run(&[input], &options, x).await;
        assert_eq!((served.end, start.elapsed().as_secs()), (end, after), "{input:?}");
    }
    let options = ServeOptions { idle_timeout: None, ..options };
    let start = tokio::time::Instant::now();
    assert_eq!(run(&[GET], &options, x).await.1.end, End::Idle);
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come() {
    let options = ServeOptions { read_timeout: Some(Duration::from_secs(2)), ..ServeOptions::default() };
    let waiting = |mut request: Request, _: Interim| async move {
        assert!(matches!(request.body.collect(10).await, Err(BodyError::Timeout)));
        text("x").await
    };
    let (output, served) = run(&["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na"], &options, waiting).await;
    assert_eq!(output, ANSWER.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    assert_eq!(served.end, End::LastAnswer);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long() {
    let options = ServeOptions { write_timeout: Some(Duration::from_secs(2)), ..ServeOptions::default() };
    let never = |_: Request, _: Interim| std::future::pending();
    let (output, served) = run(&[GET], &options, never).await;
    assert_eq!((output.as_str(), served.end), ("", End::WriteTimeout));
    let unread: &'static str = "x".repeat(1 << 20).leak();
    let ((), served) = with(
        &options,
        |_, _| text(unread),
        async |mut near| {
            near.write_all(GET.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(10)).await;
        },
    )
    .await;
    assert_eq!(served.end, End::WriteTimeout);
}

/// Tells when it is dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_cancels_its_request() {
    let dropped = Rc::new(Cell::new(false));
    let never = |_: Request, _: Interim| {
        let guard = Dropped(dropped.clone());
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    };
    let (output, served) = with(&ServeOptions::default(), never, async |mut near| {
        near.write_all(GET.as_bytes()).await.unwrap();
        near.shutdown().await.unwrap();
        let mut output = Vec::new();
        near.read_to_end(&mut output).await.unwrap();
        undated(&output)
    })
    .await;
    assert_eq!(served.end, End::Gone);
    assert!(dropped.get());
    assert_eq!(output, "HTTP/1.1 499 status code 499\r\nDate: D\r\nContent-Length: 21\r\n\r\nClient Closed Request");
    // While an answer streams, too.
    let silent = |_: Request, _: Interim| async {
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::stream(Silent);
        response
    };
    let ((), served) = with(&ServeOptions::default(), silent, async |mut near| {
        near.write_all(GET.as_bytes()).await.unwrap();
        near.read_u8().await.unwrap();
    })
    .await;
    assert_eq!(served.end, End::Gone);
}

struct Silent;

impl trafficcop_exchange::BodyStream for Silent {
    fn poll_frame(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<trafficcop_exchange::Frame, BodyError>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn closing_between_requests_is_no_error() {
    let ((), served) = with(&ServeOptions::default(), x, async |mut near| {
        near.write_all(GET.as_bytes()).await.unwrap();
        near.read_exact(&mut [0; 76]).await.unwrap();
        near.shutdown().await.unwrap();
        near.read_to_end(&mut Vec::new()).await.unwrap();
    })
    .await;
    assert_eq!((served.requests, served.end), (1, End::Closed));
}

#[tokio::test(start_paused = true)]
async fn keep_alive_has_limits() {
    let last = ANSWER.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let options = ServeOptions { keep_alive_max_requests: 2, ..ServeOptions::default() };
    let (output, served) = run(&[&GET.repeat(3)], &options, x).await;
    assert_eq!((output, served.end), (format!("{ANSWER}{last}"), End::LastAnswer));
    let options = ServeOptions { keep_alive_max_time: Duration::from_secs(1), ..ServeOptions::default() };
    let slow = |_: Request, _: Interim| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        text("x").await
    };
    assert_eq!(run(&[GET], &options, slow).await.0, last);
}

#[tokio::test(start_paused = true)]
async fn draining() {
    let last = ANSWER.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let drain = Drain::new();
    let busy = Answering(|_: Request, _: Interim| async {
        drain.start();
        text("x").await
    });
    let idle = Answering(x);
    let options = ServeOptions::default();
    let ((mut one, far_one), (mut two, far_two)) = (duplex(1024), duplex(1024));
    let client = async {
        two.write_all(GET.as_bytes()).await.unwrap();
        two.read_exact(&mut [0; 76]).await.unwrap();
        one.write_all(GET.as_bytes()).await.unwrap();
        let (mut output, mut rest) = (Vec::new(), Vec::new());
        one.read_to_end(&mut output).await.unwrap();
        two.read_to_end(&mut rest).await.unwrap();
        assert_eq!(undated(&output), last);
    };
    let (busy, idle, ()) = tokio::join!(
        serve(far_one, Bytes::new(), &options, &drain, &busy),
        serve(far_two, Bytes::new(), &options, &drain, &idle),
        client
    );
    assert_eq!((busy.unwrap().end, idle.unwrap().end), (End::LastAnswer, End::Drained));
}

#[tokio::test(start_paused = true)]
async fn upgrades_join_both_ends() {
    let (server, mut server_end) = duplex(16);
    let server = std::cell::RefCell::new(Some(server));
    let switching = |request: Request, _: Interim| {
        assert_eq!(request.upgrade.as_deref(), Some(&b"foo"[..]));
        let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS);
        response.upgrade = Some(Box::new(server.take().unwrap()));
        std::future::ready(response)
    };
    let backend = async {
        let mut early = [0; 5];
        server_end.read_exact(&mut early).await.unwrap();
        assert_eq!(&early, b"early");
        server_end.write_all(b"a long greeting, longer than the pipe").await.unwrap();
        server_end.shutdown().await.unwrap();
        let mut rest = String::new();
        server_end.read_to_string(&mut rest).await.unwrap();
        rest
    };
    let options = ServeOptions::default();
    let client = with(&options, switching, async |mut near| {
        near.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nearly").await.unwrap();
        let mut output = String::new();
        near.read_to_string(&mut output).await.unwrap();
        near.write_all(b"after the other side has ended").await.unwrap();
        near.shutdown().await.unwrap();
        output
    });
    let ((output, served), rest) = tokio::join!(client, backend);
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n";
    assert_eq!(output, format!("{head}a long greeting, longer than the pipe"));
    assert_eq!(rest, "after the other side has ended");
    assert_eq!(served.end, End::Upgraded);
}

/// Ten thousand idle connections are ten thousand of these; what a request needs is allocated when it comes.
#[test]
fn an_idle_connection_is_small() {
    let (_near, far) = duplex(16);
    let (options, drain) = (ServeOptions::default(), Drain::new());
    let handler = Answering(|_: Request, _: Interim| async {
        let room = [0_u8; 10_000];
        tokio::task::yield_now().await;
        text(if room[9] == 0 { "x" } else { "y" }).await
    });
    let driver = size_of_val(&serve(far, Bytes::new(), &options, &drain, &handler));
    let shared = size_of::<super::wire::Wire<tokio::net::TcpStream>>();
    assert!(driver + shared <= 1280, "{driver} + {shared} bytes");
}
