//! A request is in flight until the last byte of its answer is.

use std::task::{Context, Poll};

use trafficcop_balancer::InFlight;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Response};

/// Keeps the count until the answer's body has ended or was given up.
pub(crate) fn until_the_end(mut response: Response, counted: Option<InFlight>) -> Response {
    if let Some(counted) = counted {
        response.body = match response.body {
            Body::Stream(stream) => Body::stream(Counted { stream, _counted: counted }),
            whole => whole,
        };
    }
    response
}

struct Counted {
    stream: Box<dyn BodyStream>,
    _counted: InFlight,
}

impl BodyStream for Counted {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        self.stream.poll_frame(cx)
    }

    fn remaining(&self) -> Option<u64> {
        self.stream.remaining()
    }
}
