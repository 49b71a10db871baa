//! What is compressed, and that it can be read again.

use std::task::{Context, Poll};

use async_compression::tokio::write::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Method, Response, StatusCode};

use crate::testing::{self, Origin};

fn answer(kind: &'static str, size: usize) -> Response {
    let mut response = Response::new(StatusCode::OK);
    response.headers.append("Content-Type", kind);
    response.headers.append("Vary", "Origin");
    response.body = Body::from("word ".repeat(size / 5));
    response
}

/// The encoding of an answer of 5,000 bytes of text, after a look whether it can be read again.
#[track_caller]
fn check(settings: &str, accepted: Option<&str>, answer: fn(usize) -> Response, expected: (Option<&str>, &[&str])) {
    let chain = testing::chain("compress", settings, Origin::answering(answer)).expect("good settings");
    let mut request = testing::request(Method::GET, "/");
    if let Some(accepted) = accepted {
        request.headers.append("Accept-Encoding", accepted.to_owned());
    }
    let mut response = testing::run(&chain, request, &mut testing::exchange());
    let encoding = response.headers.get_str("Content-Encoding").map(ToOwned::to_owned);
    let vary: Vec<_> =
        response.headers.get_all("Vary").map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    assert_eq!((encoding.as_deref(), vary.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), expected);
    let body = response.body.collect(u64::MAX).now_or_never().expect("nothing to wait for").expect("a body");
    let mut plain = Vec::new();
    match encoding.as_deref() {
        Some("gzip") => decode(&mut GzipDecoder::new(&mut plain), &body),
        Some("br") => decode(&mut BrotliDecoder::new(&mut plain), &body),
        Some("zstd") => decode(&mut ZstdDecoder::new(&mut plain), &body),
        _ => plain.extend_from_slice(&body),
    }
    let Body::Full(expected) = answer(0).body else { panic!("the answer has a body") };
    assert_eq!(plain, expected);
}

fn decode(decoder: &mut (dyn AsyncWrite + Unpin), body: &[u8]) {
    decoder.write_all(body).now_or_never().expect("memory is ready").expect("readable");
    decoder.shutdown().now_or_never().expect("memory is ready").expect("complete");
}

const BOTH: [&str; 2] = ["Accept-Encoding", "Origin"];
const TEXT: fn(usize) -> Response = |_| answer("text/html; charset=utf-8", 5000);

#[test]
fn what_is_accepted_is_sent_and_can_be_read() {
    check("{}", Some("gzip"), TEXT, (Some("gzip"), &BOTH));
    check("{}", Some("br"), TEXT, (Some("br"), &BOTH));
    check("{}", Some("zstd"), TEXT, (Some("zstd"), &BOTH));
    check("{}", Some("*"), TEXT, (None, &BOTH));
    check("{encodings: [br]}", Some("*"), TEXT, (Some("br"), &BOTH));
    check("{}", None, TEXT, (None, &BOTH[1..]));
    check("{defaultEncoding: zstd}", None, TEXT, (Some("zstd"), &BOTH));
}

#[test]
fn some_answers_are_left_as_they_are() {
    check("{}", Some("gzip"), |_| answer("text/html", 1000), (None, &BOTH));
    check("{}", Some("gzip"), |_| answer("application/grpc", 5000), (None, &BOTH));
    check("{}", Some("gzip"), |_| answer("text/event-stream", 5000), (None, &BOTH));
    check("{excludedContentTypes: [text/html]}", Some("gzip"), TEXT, (None, &BOTH));
    check("{includedContentTypes: [text/html]}", Some("gzip"), TEXT, (Some("gzip"), &BOTH));
    check("{includedContentTypes: [text/css]}", Some("gzip"), TEXT, (None, &BOTH));
}

#[test]
fn bad_settings_are_an_error() {
    for settings in [
        "{encodings: [lzma]}",
        "{defaultEncoding: lzma}",
        "{encodings: [br], defaultEncoding: gzip}",
        "{includedContentTypes: [a/b], excludedContentTypes: [c/d]}",
        "{minResponseBodyBytes: -1}",
    ] {
        assert!(testing::chain("compress", settings, Origin::ok()).is_err(), "{settings}");
    }
}

/// A body that comes in two pieces with a pause between them.
async fn gathered(pause: std::time::Duration, announced: Option<u64>) -> (bool, String) {
    let (mut writer, reader) = tokio::io::duplex(64);
    let write = async {
        writer.write_all(b"first ").await.expect("room");
        tokio::time::sleep(pause).await;
        writer.write_all(b"second").await.expect("room");
        drop(writer);
    };
    let body = Body::stream(Pieces(tokio_util::io::ReaderStream::new(reader)));
    let (body, ()) = tokio::join!(
        async {
            let mut body = super::stream::gather(body, announced).await;
            (matches!(body, Body::Full(_)), body.collect(u64::MAX).await.expect("a body"))
        },
        write
    );
    (body.0, String::from_utf8_lossy(&body.1).into_owned())
}

struct Pieces(tokio_util::io::ReaderStream<tokio::io::DuplexStream>);

impl BodyStream for Pieces {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let piece = self.0.poll_next_unpin(cx);
        piece.map(|piece| piece.map(|piece| piece.map(Frame::Data).map_err(|error| BodyError::Other(error.into()))))
    }
}

#[tokio::test(start_paused = true)]
async fn short_answers_of_known_length_are_gathered_for_a_moment() {
    let ms = std::time::Duration::from_millis;
    let text = || "first second".to_owned();
    assert_eq!(gathered(ms(50), Some(12)).await, (true, text()));
    assert_eq!(gathered(ms(5000), Some(12)).await, (false, text()));
    assert_eq!(gathered(ms(50), None).await, (false, text()));
    assert_eq!(gathered(ms(50), Some(1 << 20)).await, (false, text()));
}
