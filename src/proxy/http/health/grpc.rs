//! Asking a gRPC server how it is: `grpc.health.v1.Health/Check` of the whole server.

use bytes::{Buf, Bytes};
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::probe::{Ending, Unwell};
use crate::http::connect::dial;
use crate::http::server_url::Scheme;
use crate::http::transport::Endpoint;

/// A message without compression and without fields: the server as a whole.
const WHOLE_SERVER: &[u8] = &[0, 0, 0, 0, 0];
const SERVING: u64 = 1;
const LONGEST_ANSWER: usize = 64 * 1024;
const UNIMPLEMENTED: &[u8] = b"12";

pub(super) async fn check(endpoint: &Endpoint) -> Result<(), Unwell> {
    let (stream, _spoken) = dial(endpoint, false).await?;
    let scheme = if endpoint.url.scheme == Scheme::Https { "https" } else { "http" };
    let authority = String::from_utf8_lossy(&endpoint.url.authority);
    let request = Request::post(format!("{scheme}://{authority}/grpc.health.v1.Health/Check"))
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .header(header::USER_AGENT, "grpc-go")
        .body(Full::new(Bytes::from_static(WHOLE_SERVER)))
        .map_err(|error| Unwell::Grpc(error.to_string()))?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let _driver = Ending(tokio::spawn(async move { drop(connection.await) }));
    let response = sender.send_request(request).await?;
    // A server that has nothing to say sends its status with the head.
    if let Some(status) = response.headers().get("grpc-status").filter(|status| *status != "0") {
        return Err(failed(status.as_bytes()));
    }
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| Unwell::Grpc(error.to_string()))?;
    if let Some(status) =
        body.trailers().and_then(|trailers| trailers.get("grpc-status")).filter(|status| *status != "0")
    {
        return Err(failed(status.as_bytes()));
    }
    match status(body.to_bytes()) {
        Some(SERVING) => Ok(()),
        other => Err(Unwell::Grpc(format!("received gRPC health status: {}", other.unwrap_or_default()))),
    }
}

fn failed(status: &[u8]) -> Unwell {
    if status == UNIMPLEMENTED {
        return Unwell::Grpc("gRPC server does not implement the health protocol".into());
    }
    Unwell::Grpc(format!("gRPC health check failed with status {}", String::from_utf8_lossy(status)))
}

/// The status of a `HealthCheckResponse`: its field 1, a number of one byte for all that are known.
fn status(mut message: Bytes) -> Option<u64> {
    if message.remaining() < 5 {
        return None;
    }
    message.advance(5);
    match message.as_ref() {
        [] => Some(0),
        [0x08, status, ..] if *status < 0x80 => Some(u64::from(*status)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        let read = |bytes: &'static [u8]| status(Bytes::from_static(bytes));
        assert_eq!(read(&[0, 0, 0, 0, 2, 0x08, 1]), Some(SERVING));
        assert_eq!(read(&[0, 0, 0, 0, 2, 0x08, 2]), Some(2));
        assert_eq!(read(&[0, 0, 0, 0, 0]), Some(0));
        assert_eq!(read(&[0, 0]), None);
    }
}
