//! The driver over in-memory pipes, under a clock that runs only when nothing else does.

mod bodies;
mod ends;
mod support;

use trafficcop_exchange::{Body, Interim, Request, Response, StatusCode};

use self::support::*;
use super::*;

#[tokio::test(start_paused = true)]
async fn answers_as_go_writes_them() {
    let hello = |_: Request, _: Interim| text("hello");
    check(
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        hello,
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\nhello",
        End::Idle,
    )
    .await;
    check(
        "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
        hello,
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\n",
        End::Idle,
    )
    .await;
    check(
        "GET / HTTP/1.0\r\n\r\n",
        hello,
        "HTTP/1.0 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\nhello",
        End::LastAnswer,
    )
    .await;
    check(
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        hello,
        "HTTP/1.0 200 OK\r\nDate: D\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
        End::Idle,
    )
    .await;
    check(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        hello,
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        End::LastAnswer,
    )
    .await;
    check(
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        |_, _| status(StatusCode::from_u16(299).unwrap(), &[("x-lower", "1\r\nX: 2"), ("Date", "then"), ("a b", "c")]),
        "HTTP/1.1 299 status code 299\r\nX-Lower: 1  X: 2\r\nDate: then\r\nContent-Length: 0\r\n\r\n",
        End::Idle,
    )
    .await;
    check(
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        |_, _| status(StatusCode::OK, &[("Connection", "close")]),
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        End::LastAnswer,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn lengths_of_what_has_no_body() {
    let of = |code: u16| {
        move |_: Request, _: Interim| status(StatusCode::from_u16(code).unwrap(), &[("Content-Length", "10")])
    };
    let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    check(get, of(204), "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n", End::Idle).await;
    check(get, of(304), "HTTP/1.1 304 Not Modified\r\nDate: D\r\n\r\n", End::Idle).await;
    let head = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
    check(head, of(200), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nDate: D\r\n\r\n", End::Idle).await;
    let plain = |_: Request, _: Interim| status(StatusCode::OK, &[]);
    check(head, plain, "HTTP/1.1 200 OK\r\nDate: D\r\n\r\n", End::Idle).await;
    check(get, plain, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n", End::Idle).await;
    let streamed = |_: Request, _: Interim| stream(["never sent"]);
    check(head, streamed, "HTTP/1.1 200 OK\r\nDate: D\r\n\r\n", End::Idle).await;
}

#[tokio::test(start_paused = true)]
async fn pipelines_are_answered_in_order_however_they_are_cut() {
    let input = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\n\
                 POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                 GET /4 HTTP/1.1\r\nHost: x\r\n\r\n";
    let echo = |mut request: Request, _: Interim| async move {
        let body = request.body.collect(100).await.unwrap();
        let mut response = Response::new(StatusCode::OK);
        response.headers.append("Date", "D");
        response.body = Body::from(format!("{}{}", request.target.path(), String::from_utf8_lossy(&body)));
        response
    };
    let expected = ["/1", "/2abc", "/3abc", "/4"]
        .map(|body| format!("HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
        .concat();
    for cut in 0..input.len() {
        let (front, back) = input.split_at(cut);
        let (output, served) = run(&[front, back], &ServeOptions::default(), echo).await;
        assert_eq!(output, expected, "cut at {cut}");
        assert_eq!((served.requests, served.end), (4, End::Idle));
    }
    let bytes: Vec<String> = input.chars().map(String::from).collect();
    let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
    assert_eq!(run(&bytes, &ServeOptions::default(), echo).await.0, expected);
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let never = |_: Request, _: Interim| async { panic!("called") };
    let refused = |status: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{status}")
    };
    check("GET / HTTP/1.1\r\n\r\n", never, &refused("400 Bad Request: missing required Host header"), End::Refused)
        .await;
    check("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", never, &refused("400 Bad Request"), End::Refused).await;
    check(
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        never,
        &refused("505 HTTP Version Not Supported: unsupported protocol version"),
        End::Refused,
    )
    .await;
    // Not even a whole line is needed to know; but fewer bytes than a preface has are waited for.
    check("NONSENSE AND MORE\n", never, &refused("400 Bad Request"), End::Refused).await;
    check("GET /\r\n\r\n", never, "", End::ReadTimeout).await;
    check(
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 3\r\n\r\nabc",
        never,
        "HTTP/1.1 417 Expectation Failed\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        End::LastAnswer,
    )
    .await;
    check(
        "GET mailto:x HTTP/1.1\r\nHost: x\r\n\r\n",
        never,
        "HTTP/1.1 400 Bad Request\r\nDate: D\r\nContent-Length: 0\r\n\r\n",
        End::Idle,
    )
    .await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "a".repeat(6000));
    let options = ServeOptions { max_head_bytes: 1000, ..ServeOptions::default() };
    let (output, served) = run(&[&long], &options, never).await;
    assert_eq!((output, served.end), (refused("431 Request Header Fields Too Large"), End::Refused));
}

#[tokio::test(start_paused = true)]
async fn interim_answers_pass_but_not_to_old_clients() {
    let hints = |_: Request, interim: Interim| async move {
        let mut headers = trafficcop_exchange::Headers::new();
        headers.append("link", "</a>");
        interim.send(StatusCode::from_u16(103).unwrap(), headers);
        tokio::task::yield_now().await;
        text("x").await
    };
    let answer = "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\n\r\nx";
    let expected = format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{answer}");
    check("GET / HTTP/1.1\r\nHost: x\r\n\r\n", hints, &expected, End::Idle).await;
    check("GET / HTTP/1.0\r\n\r\n", hints, &answer.replace("1.1", "1.0"), End::LastAnswer).await;
}
