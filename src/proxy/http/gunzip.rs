//! Answers that are compressed only because we asked for it.
//!
//! A client that names no encoding gets plain bytes, but between us and the server gzip is asked for, as Go's client
//! does and Traefik's servers see it. What comes compressed is unpacked on its way.

use std::io::Write;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, KnownName, Method, Request, Response};

/// What a piece may unpack to before it is passed on.
const MOST_AT_ONCE: usize = 16 * 1024;

/// Asks for gzip if the client leaves the encoding open. Says whether it did.
pub(crate) fn ask(request: &mut Request) -> bool {
    let is_unsaid = |name| request.headers.get(name).is_none_or(<[u8]>::is_empty);
    let is_open = request.method != Method::HEAD && is_unsaid("accept-encoding") && is_unsaid("range");
    if is_open {
        request.headers.push_known(KnownName::ACCEPT_ENCODING, b"gzip");
    }
    is_open
}

/// Unpacks the answer to a request for which [`ask`] said yes.
pub(crate) fn unpack(response: &mut Response) {
    let is_packed = response.headers.get("content-encoding").is_some_and(|value| value.eq_ignore_ascii_case(b"gzip"));
    if !is_packed || response.body.is_empty() || response.upgrade.is_some() {
        return;
    }
    response.headers.remove("content-encoding");
    response.headers.remove("content-length");
    let packed = std::mem::take(&mut response.body);
    response.body = Body::stream(Unpacked {
        packed,
        input: Bytes::new(),
        decoder: MultiGzDecoder::new(Vec::new()),
        state: State::Open,
        trailers: None,
    });
}

struct Unpacked {
    packed: Body,
    /// Compressed bytes that were read and not yet unpacked.
    input: Bytes,
    decoder: MultiGzDecoder<Vec<u8>>,
    state: State,
    trailers: Option<Frame>,
}

#[derive(PartialEq, Eq)]
enum State {
    Open,
    /// The packed body has ended.
    Ended,
    /// So has the plain one.
    Done,
}

impl Unpacked {
    /// Unpacks a little of what was read; the rest waits until this was passed on.
    fn unpack(&mut self) -> Result<Option<Bytes>, BodyError> {
        const BROKEN: BodyError = BodyError::Malformed("the server's gzip is broken");
        while !self.input.is_empty() {
            let taken = self.decoder.write(&self.input[..self.input.len().min(1024)]).map_err(|_broken| BROKEN)?;
            if taken == 0 {
                return Err(BROKEN);
            }
            drop(self.input.split_to(taken));
            if self.decoder.get_ref().len() >= MOST_AT_ONCE {
                break;
            }
        }
        if self.input.is_empty() {
            // What the decoder still holds back must not wait for more to come: the server may be streaming.
            self.decoder.flush().map_err(|_broken| BROKEN)?;
        }
        let plain = std::mem::take(self.decoder.get_mut());
        Ok((!plain.is_empty()).then(|| Bytes::from(plain)))
    }
}

impl BodyStream for Unpacked {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            if !self.input.is_empty() {
                match self.unpack() {
                    Ok(Some(plain)) => return Poll::Ready(Some(Ok(Frame::Data(plain)))),
                    Ok(None) => {}
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            match self.state {
                State::Done => return Poll::Ready(self.trailers.take().map(Ok)),
                State::Ended => {
                    self.state = State::Done;
                    if self.decoder.try_finish().is_err() {
                        return Poll::Ready(Some(Err(BodyError::Incomplete)));
                    }
                    let plain = std::mem::take(self.decoder.get_mut());
                    if !plain.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::Data(Bytes::from(plain)))));
                    }
                }
                State::Open => match ready!(self.packed.poll_frame(cx)) {
                    Some(Ok(Frame::Data(data))) => self.input = data,
                    Some(Ok(trailers)) => {
                        self.trailers = Some(trailers);
                        self.state = State::Ended;
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => self.state = State::Ended,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::request;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use trafficcop_exchange::StatusCode;

    fn pack(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn packed(body: impl Into<Bytes>) -> Response {
        let mut response = Response::new(StatusCode::OK);
        response.headers = [("Content-Encoding", "gzip"), ("Content-Length", "9")].into_iter().collect();
        response.body = Body::from(body.into());
        unpack(&mut response);
        response
    }

    #[tokio::test]
    async fn comes_out_as_it_went_in() {
        let plain: Vec<u8> = (0..200_000_u32).flat_map(|number| (number % 251).to_le_bytes()).collect();
        let mut response = packed(pack(&plain));
        assert!(response.headers.is_empty());
        assert_eq!(response.body.collect(1 << 20).await.unwrap(), plain);
        let twice = [pack(b"one "), pack(b"two")].concat();
        assert_eq!(packed(twice).body.collect(1 << 20).await.unwrap(), "one two");
    }

    #[tokio::test]
    async fn broken_or_cut_short_is_an_error() {
        assert!(packed(&b"no gzip at all"[..]).body.collect(1 << 20).await.is_err());
        let whole = pack(b"hello hello hello");
        assert!(packed(whole[..whole.len() - 9].to_vec()).body.collect(1 << 20).await.is_err());
    }

    #[tokio::test]
    async fn a_bomb_comes_in_pieces() {
        let mut response = packed(pack(&vec![0; 8 << 20]));
        let mut total = 0;
        while let Some(frame) = response.body.frame().await {
            let Frame::Data(data) = frame.unwrap() else { continue };
            assert!(data.len() <= 2 << 20, "{} bytes at once", data.len());
            total += data.len();
        }
        assert_eq!(total, 8 << 20);
    }

    #[test]
    fn asked_only_where_the_client_leaves_it_open() {
        assert!(ask(&mut request(Method::GET, "/")));
        assert!(!ask(&mut request(Method::HEAD, "/")));
        for name in ["accept-encoding", "Range"] {
            let mut request = request(Method::GET, "/");
            request.headers.append(name, "identity");
            assert!(!ask(&mut request), "{name}");
        }
        let mut empty = request(Method::GET, "/");
        empty.headers.append("Accept-Encoding", "");
        assert!(ask(&mut empty));
        assert_eq!(empty.headers.get_all("accept-encoding").collect::<Vec<_>>(), [&b""[..], b"gzip"]);
    }
}
