//! Bodies of requests and answers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trafficcop_exchange::BodyError;

use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn streamed(make: impl Fn() -> Pieces) -> impl Fn(Request, Interim) -> std::future::Ready<Response> {
    move |_, _| {
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::stream(make());
        std::future::ready(response)
    }
}

#[tokio::test(start_paused = true)]
async fn streams_of_unknown_length() {
    let pieces = || Pieces::new(["abc", "", "defg"]);
    let chunked = "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    check(GET, streamed(pieces), chunked, End::Idle).await;
    check(GET, streamed(|| Pieces { shy: true, ..pieces() }), chunked, End::Idle).await;
    let closed = "HTTP/1.0 200 OK\r\nDate: D\r\n\r\nabcdefg";
    check("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", streamed(pieces), closed, End::LastAnswer).await;
    check(
        GET,
        streamed(|| pieces().trailers(&[("x-sum", "1")])),
        &chunked.replace("0\r\n\r\n", "0\r\nX-Sum: 1\r\n\r\n"),
        End::Idle,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn streams_of_known_length() {
    let of = |length| streamed(move || Pieces { remaining: Some(length), ..Pieces::new(["abc", "def"]) });
    let head = |length| format!("HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: {length}\r\n\r\n");
    check(GET, of(6), &(head(6) + "abcdef"), End::Idle).await;
    check(GET, of(7), &(head(7) + "abcdef"), End::Broken).await;
    check(GET, of(5), &(head(5) + "abc"), End::Broken).await;
    // Where only the headers know the length, they are believed.
    let told = |_: Request, _: Interim| async {
        let mut response = stream(["abc"]).await;
        response.headers.append("content-length", "3");
        response
    };
    check(GET, told, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: D\r\n\r\nabc", End::Idle).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_a_break_arrives() {
    let broken = streamed(|| {
        let mut pieces = Pieces::new(["abc"]);
        pieces.frames.push_back(Err(BodyError::Incomplete));
        pieces
    });
    let expected = "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    check(GET, broken, expected, End::Broken).await;
}

#[tokio::test(start_paused = true)]
async fn large_bodies_pass_through_small_pipes() {
    let long: &'static str = "0123456789abcdef".repeat(20_000).leak();
    let echo = |mut request: Request, _: Interim| {
        let mut response = Response::new(StatusCode::OK);
        response.body = std::mem::take(&mut request.body);
        std::future::ready(response)
    };
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
        long.len()
    );
    let sized =
        format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{long}", long.len());
    for input in [chunked, sized] {
        let (output, served) = with(&ServeOptions::default(), echo, async |near| {
            let (mut read, mut write) = tokio::io::split(near);
            let mut output = Vec::new();
            let (written, _) = tokio::join!(write.write_all(input.as_bytes()), read.read_to_end(&mut output));
            written.unwrap();
            output
        })
        .await;
        assert_eq!(served.end, End::LastAnswer);
        let data: String = match std::str::from_utf8(&output).unwrap().split_once("\r\n\r\n").unwrap() {
            (head, body) if head.contains("chunked") => {
                let mut decoder = crate::chunked::Chunked::default();
                let mut body = Bytes::copy_from_slice(body.as_bytes());
                let mut data = String::new();
                while let crate::chunked::Step::Data(piece) = decoder.decode(&mut body).unwrap() {
                    data.push_str(std::str::from_utf8(&piece).unwrap());
                }
                data
            }
            (_, body) => body.to_owned(),
        };
        assert!(data == long, "{} bytes instead of {}", data.len(), long.len());
    }
}

#[tokio::test(start_paused = true)]
async fn continue_is_said_when_the_body_is_wanted() {
    let input = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let echo = |mut request: Request, _: Interim| async move {
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::from(request.body.collect(10).await.unwrap());
        response
    };
    let (output, _) = with(&ServeOptions::default(), echo, async |mut near| {
        near.write_all(input.as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        near.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        near.write_all(b"abc").await.unwrap();
        let mut output = Vec::new();
        near.read_to_end(&mut output).await.unwrap();
        undated(&output)
    })
    .await;
    assert_eq!(output, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 3\r\n\r\nabc");
    let ignored = "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    check(input, |_, _| text("no"), ignored, End::LastAnswer).await;
    // A server that said it already: nobody says it twice.
    let passed_on = |waits: bool| {
        move |mut request: Request, interim: Interim| async move {
            interim.send(StatusCode::CONTINUE, trafficcop_exchange::Headers::new());
            if waits {
                tokio::task::yield_now().await;
            }
            request.body.collect(10).await.unwrap();
            text("yes").await
        }
    };
    let expected = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 3\r\n\r\nyes";
    for waits in [true, false] {
        let (output, _) = run(&[input, "abc"], &ServeOptions::default(), passed_on(waits)).await;
        assert_eq!(output, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_nobody_read() {
    let answer = "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\n\r\nx";
    let small = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    check(&format!("{small}{GET}"), |_, _| text("x"), &answer.repeat(2), End::Idle).await;
    let large = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n{GET}");
    let last = answer.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    check(&large, |_, _| text("x"), &last, End::LastAnswer).await;
    let malformed = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n";
    check(malformed, |_, _| text("x"), answer, End::LastAnswer).await;
    let reading = |mut request: Request, _: Interim| async move {
        assert!(matches!(request.body.collect(10).await, Err(BodyError::Malformed(_))));
        text("x").await
    };
    check(malformed, reading, &last, End::LastAnswer).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_kept_beyond_its_request_reads_no_other() {
    let kept = std::cell::RefCell::new(Vec::new());
    let keeping = |request: Request, _: Interim| {
        kept.borrow_mut().push(request.body);
        text("x")
    };
    let input = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let (_, served) = run(&[input, input], &ServeOptions::default(), keeping).await;
    assert_eq!((served.requests, served.end), (2, End::Idle));
    for mut body in kept.take() {
        assert!(matches!(body.frame().await, Some(Err(BodyError::Incomplete))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_body_that_stalls_while_the_answer_streams() {
    let options = ServeOptions { read_timeout: Some(std::time::Duration::from_secs(2)), ..ServeOptions::default() };
    let echo = |mut request: Request, _: Interim| {
        let mut response = Response::new(StatusCode::OK);
        response.body = std::mem::take(&mut request.body);
        std::future::ready(response)
    };
    let input = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let (output, served) = run(&[input], &options, echo).await;
    assert_eq!(output, "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    assert_eq!(served.end, End::Broken);
}
