//! Health checks of gRPC servers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use trafficcop_config::dynamic::http::HealthCheck;

use super::health::{health_check, until};
use crate::http::testing::*;

/// What the server says of itself, and what its answer ends with.
#[derive(Default)]
struct Says {
    status: AtomicU8,
    trailer: AtomicU8,
}

async fn serve(says: Arc<Says>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let says = Arc::clone(&says);
            let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let says = Arc::clone(&says);
                async move {
                    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                    assert_eq!(request.headers()["content-type"], "application/grpc");
                    let asked = request.into_body().collect().await.unwrap().to_bytes();
                    assert_eq!(asked.as_ref(), [0; 5]);
                    let message = vec![0, 0, 0, 0, 2, 8, says.status.load(Ordering::Relaxed)];
                    let status = HeaderValue::from(u16::from(says.trailer.load(Ordering::Relaxed)));
                    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), status)]);
                    let body = Full::new(Bytes::from(message)).with_trailers(std::future::ready(Some(Ok(trailers))));
                    Ok::<_, Infallible>(http::Response::new(body))
                }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let connection = server.serve_connection(TokioIo::new(stream), answer);
            tokio::spawn(async move { drop(connection.await) });
        }
    });
    url
}

#[tokio::test]
async fn up_while_it_is_serving() {
    worker(async {
        let says = Arc::new(Says { status: AtomicU8::new(2), ..Says::default() });
        let url = serve(Arc::clone(&says)).await;
        let mut settings = settings(&[&url]);
        settings.health_check = Some(HealthCheck { mode: "grpc".into(), ..health_check() });
        let service = build(&settings);
        until(&service, false).await;
        says.status.store(1, Ordering::Relaxed);
        until(&service, true).await;
        says.trailer.store(12, Ordering::Relaxed);
        until(&service, false).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_of_something_else_is_down() {
    worker(async {
        let backend = Backend::answering("no gRPC").await;
        let mut settings = settings(&[&backend.url]);
        settings.health_check = Some(HealthCheck { mode: "grpc".into(), ..health_check() });
        until(&build(&settings), false).await;
    })
    .await;
}
