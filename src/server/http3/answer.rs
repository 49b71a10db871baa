//! One request over HTTP/3: read its head, have it answered, send the answer.

use std::future::poll_fn;
use std::rc::Rc;

use bytes::Bytes;
use h3::error::{Code, StreamError};
use h3::server::{RequestResolver, RequestStream};
use tokio::time::{Instant, timeout, timeout_at};
use trafficcop_exchange::{Body, Frame, Interim, Method, Reason, StatusCode, Version};
use trafficcop_h1::ServeOptions;

use super::{PATIENCE, received};
use crate::http::Requests;
use crate::http2::heads;

type Outgoing = RequestStream<h3_quinn::SendStream<Bytes>, Bytes>;

/// Answers a request; what fails ends this request only.
pub(super) async fn answer(
    resolver: RequestResolver<h3_quinn::Connection, Bytes>,
    requests: Rc<Requests>,
    limits: ServeOptions,
) {
    let head = timeout(limits.read_timeout.unwrap_or(PATIENCE), resolver.resolve_request()).await;
    let Ok(head) = head else { return };
    let (request, stream) = match head {
        Ok(head) => head,
        Err(error) => return refused(&error, &requests),
    };
    let (mut sending, receiving) = stream.split();
    let work = work(request, &mut sending, receiving, &requests, &limits);
    let done = match limits.write_timeout.map(|limit| Instant::now() + limit) {
        None => work.await,
        Some(deadline) => timeout_at(deadline, work).await.unwrap_or(Err(Broken)),
    };
    if done.is_err() {
        sending.stop_stream(Code::H3_INTERNAL_ERROR);
    }
}

/// h3 has answered, or reset the stream, by itself.
fn refused(error: &StreamError, requests: &Requests) {
    let (reason, status) = match error {
        StreamError::HeaderTooBig { .. } => (Reason::HeadTooLarge, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        StreamError::StreamError { .. } => (Reason::BadHead, StatusCode::BAD_REQUEST),
        // What ends the connection is told where it ends.
        _ => return,
    };
    requests.not_understood(Version::HTTP_3, reason, status);
}

/// An answer did not reach its end.
struct Broken;

async fn work(
    request: http::Request<()>,
    sending: &mut Outgoing,
    receiving: received::Incoming,
    requests: &Requests,
    limits: &ServeOptions,
) -> Result<(), Broken> {
    let is_head = request.method() == Method::HEAD;
    let length = heads::content_length(request.headers());
    let body = received::body(receiving, request.method(), length, limits.read_timeout).await;
    let mut request = heads::request(request, |()| body);
    request.version = Version::HTTP_3;
    // 1xx answers are left out: h3 takes the first head it is given for the last.
    let response = requests.answer(request, Interim::default()).await;
    if response.upgrade.is_some() || response.status == StatusCode::SWITCHING_PROTOCOLS {
        tracing::debug!("A server switched protocols on a request of HTTP/3, which cannot.");
        return Err(Broken);
    }
    let (head, body) = heads::response(response, is_head);
    sending.send_response(head).await.map_err(|_| Broken)?;
    if !is_head {
        pipe(body, sending).await?;
    }
    sending.finish().await.map_err(|_| Broken)
}

/// Moves a body into its stream, as fast as the client takes it.
async fn pipe(mut body: Body, sending: &mut Outgoing) -> Result<(), Broken> {
    while let Some(frame) = poll_fn(|cx| body.poll_frame(cx)).await {
        match frame {
            Ok(Frame::Data(data)) if data.is_empty() => {}
            Ok(Frame::Data(data)) => {
                sending.send_data(data).await.map_err(|_| Broken)?;
                // An engine that knows the length need not be asked again.
                if body.remaining() == Some(0) {
                    break;
                }
            }
            Ok(Frame::Trailers(trailers)) => {
                return sending.send_trailers(heads::header_map(&trailers)).await.map_err(|_| Broken);
            }
            Err(error) => {
                tracing::debug!(%error, "The body of an answer broke off.");
                return Err(Broken);
            }
        }
    }
    Ok(())
}
