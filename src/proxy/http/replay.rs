//! [`Replay`]: a request that can be sent more than once, since its body is at hand.

use bytes::{Bytes, BytesMut};
use std::task::{Context, Poll};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Headers, Method, Request, Target, Version};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    method: Method,
    target: Target,
    host: Bytes,
    version: Version,
    headers: Headers,
    body: Bytes,
    /// Its length was announced; else it goes out in chunks, as it came.
    has_length: bool,
    upgrade: Option<Bytes>,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum NotReplayable {
    /// The body is longer than the limit; the request is as it was.
    TooLarge(Box<Request>),
    Broken(BodyError),
}

impl Replay {
    /// Reads the body, at most `limit` bytes of it; None means all of it.
    pub(crate) async fn new(mut request: Request, limit: Option<u64>) -> Result<Self, NotReplayable> {
        let has_length = request.body.remaining().is_some();
        let body = match &mut request.body {
            Body::Empty => Bytes::new(),
            body => {
                let mut read = BytesMut::new();
                loop {
                    if limit.is_some_and(|limit| read.len() as u64 > limit) {
                        let rest = std::mem::take(body);
                        request.body = Body::stream(Behind { first: Some(read.freeze()), rest, has_length });
                        return Err(NotReplayable::TooLarge(Box::new(request)));
                    }
                    match body.frame().await {
                        Some(Ok(Frame::Data(data))) => read.extend_from_slice(&data),
                        Some(Ok(Frame::Trailers(_))) => {}
                        Some(Err(error)) => return Err(NotReplayable::Broken(error)),
                        None => break,
                    }
                }
                read.freeze()
            }
        };
        let Request { method, target, host, version, headers, upgrade, .. } = request;
        Ok(Self { method, target, host, version, headers, body, has_length, upgrade })
    }

    /// The request once more.
    pub(crate) fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), self.target.clone());
        request.host = self.host.clone();
        request.version = self.version;
        request.headers = self.headers.clone();
        let body = self.body.clone();
        request.body = if self.has_length {
            Body::from(body)
        } else {
            Body::stream(Behind { first: Some(body), rest: Body::Empty, has_length: false })
        };
        request.upgrade.clone_from(&self.upgrade);
        request
    }
}

/// What was read already, then the rest.
struct Behind {
    first: Option<Bytes>,
    rest: Body,
    has_length: bool,
}

impl BodyStream for Behind {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self.first.take().filter(|first| !first.is_empty()) {
            Some(first) => Poll::Ready(Some(Ok(Frame::Data(first)))),
            None => self.rest.poll_frame(cx),
        }
    }

    fn remaining(&self) -> Option<u64> {
        let first = self.first.as_ref().map_or(0, Bytes::len) as u64;
        self.rest.remaining().filter(|_| self.has_length).map(|rest| rest + first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::request;

    #[tokio::test]
    async fn sends_the_same_twice() {
        let mut once = request(Method::POST, "/a?b");
        once.headers.append("X", "1");
        once.body = Body::from("hello");
        let replay = Replay::new(once, Some(5)).await.unwrap();
        for _ in 0..2 {
            let mut again = replay.request();
            assert_eq!((again.method.as_str(), again.target.to_uri()), ("POST", "/a?b".to_owned()));
            assert_eq!(again.headers.get("x"), Some(&b"1"[..]));
            assert_eq!(again.body.collect(9).await.unwrap(), "hello");
        }
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_stays_one() {
        let streamed = Behind { first: Some(Bytes::from_static(b"hi")), rest: Body::Empty, has_length: false };
        let mut once = request(Method::POST, "/");
        once.body = Body::stream(streamed);
        let mut again = Replay::new(once, None).await.unwrap().request();
        assert_eq!(again.body.remaining(), None);
        assert_eq!(again.body.collect(9).await.unwrap(), "hi");
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_still_whole() {
        let mut once = request(Method::POST, "/");
        once.body = Body::from("hello!");
        let Err(NotReplayable::TooLarge(mut once)) = Replay::new(once, Some(5)).await else { panic!("it fits") };
        assert_eq!(once.body.remaining(), Some(6));
        assert_eq!(once.body.collect(9).await.unwrap(), "hello!");
    }
}
