//! One request of a connection: have it answered, send the answer.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use tokio::time::Instant;
use trafficcop_exchange::{Body, BodyError, Frame, Interim, Method, StatusCode};
use trafficcop_h1::ServeOptions;

use super::heads;
use super::received::Received;
use crate::http::Requests;

/// Answers a request. Ends early, and drops what was doing, when the client takes the request back.
pub(super) async fn answer(
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    requests: Rc<Requests>,
    stream: super::Stream,
    limits: ServeOptions,
) {
    let deadline = limits.write_timeout.map(|limit| Instant::now() + limit);
    let work = pin!(work(request, respond, &requests, limits.read_timeout, &stream));
    match deadline {
        None => work.await,
        // Dropping what is left of the stream resets it.
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.unwrap_or_default(),
    }
}

async fn work(
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    requests: &Requests,
    read_timeout: Option<std::time::Duration>,
    stream: &super::Stream,
) {
    let is_head = request.method() == Method::HEAD;
    let respond = Rc::new(RefCell::new(respond));
    let expects = heads::expects_continue(request.headers());
    let length = heads::content_length(request.headers());
    let request = heads::request(request, |stream| {
        Received::body(stream, length, read_timeout, expects.then(|| Rc::clone(&respond)))
    });
    let interim = Interim::default();
    let mut answering = pin!(requests.answer(request, interim.clone()));
    let response = poll_fn(|cx| {
        let polled = answering.as_mut().poll(cx);
        let mut respond = respond.borrow_mut();
        for (status, headers) in interim.take() {
            let _the_client_is_gone = respond.send_informational(heads::interim(status, &headers));
        }
        match polled {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending => respond.poll_reset(cx).map(|_| None),
        }
    });
    let Some(response) = response.await else { return stream.taken_back() };
    if response.upgrade.is_some() || response.status == StatusCode::SWITCHING_PROTOCOLS {
        tracing::debug!("A server switched protocols on a request of HTTP/2, which cannot.");
        return respond.borrow_mut().send_reset(Reason::INTERNAL_ERROR);
    }
    let (head, body) = heads::response(response, is_head);
    let ends = is_head || body.is_empty();
    let sent = respond.borrow_mut().send_response(head, ends);
    let Ok(mut stream) = sent else { return };
    if ends {
        return;
    }
    if let Err(Broken::Body(error)) = pipe(body, &mut stream).await {
        tracing::debug!(%error, "The body of an answer broke off.");
        stream.send_reset(Reason::INTERNAL_ERROR);
    }
}

/// Moves a body into its stream.
async fn pipe(mut body: Body, stream: &mut SendStream<Bytes>) -> Result<(), Broken> {
    loop {
        let frame = poll_fn(|cx| match stream.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(Err(Broken::Gone)),
            Poll::Pending => body.poll_frame(cx).map(|frame| frame.transpose().map_err(Broken::Body)),
        });
        match frame.await? {
            Some(Frame::Data(data)) if data.is_empty() => {}
            Some(Frame::Data(data)) => {
                // Only with the data in hand: reserving ahead would take room from other requests.
                stream.reserve_capacity(1);
                while stream.capacity() == 0 {
                    let room = poll_fn(|cx| match stream.poll_reset(cx) {
                        Poll::Ready(_) => Poll::Ready(None),
                        Poll::Pending => stream.poll_capacity(cx),
                    });
                    room.await.ok_or(Broken::Gone)?.map_err(|_| Broken::Gone)?;
                }
                let is_last = body.remaining() == Some(0);
                stream.send_data(data, is_last).map_err(|_| Broken::Gone)?;
                if is_last {
                    return Ok(());
                }
            }
            Some(Frame::Trailers(trailers)) => {
                stream.reserve_capacity(0);
                return stream.send_trailers(heads::header_map(&trailers)).map_err(|_| Broken::Gone);
            }
            None => return stream.send_data(Bytes::new(), true).map_err(|_| Broken::Gone),
        }
    }
}

/// Why an answer did not reach its end.
enum Broken {
    /// The client took the request back, or the connection ended.
    Gone,
    Body(BodyError),
}
