//! Servers behind the proxy of the environment.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use trafficcop_config::dynamic::http::ServersTransport;
use trafficcop_exchange::{Interim, Method};

use crate::http::Transport;
use crate::http::attempt::{open, send};
use crate::http::connect::dial;
use crate::http::environment_proxy::Via;
use crate::http::pinned::Way;
use crate::http::server_url::ServerUrl;
use crate::http::testing::*;
use crate::http::transport::Endpoint;

fn behind(server: &str, proxy: &str) -> Arc<Endpoint> {
    let transport = Transport::new(&ServersTransport::default()).unwrap();
    Arc::new(Endpoint {
        id: u64::MAX,
        url: ServerUrl::parse(server).unwrap(),
        manners: Arc::clone(&transport.manners),
        via: Via::parse(proxy),
        is_retired: AtomicBool::new(false),
        speaks_http2: AtomicBool::new(false),
    })
}

#[tokio::test]
async fn in_clear_the_proxy_gets_the_whole_url() {
    worker(async {
        let proxy = Backend::answering("from afar").await;
        let endpoint = behind("http://far.test:81", &proxy.url.replace("http://", "http://me:pw@"));
        let way = Way::default();
        let ready = open(&endpoint, way).await.unwrap();
        let asked = request(Method::GET, "/a?b");
        let mut response = send(ready, &endpoint, way, Box::new(asked), &Interim::default()).await.unwrap();
        assert_eq!(text(&mut response).await, "from afar");
        let seen = proxy.seen().remove(0);
        assert!(seen.starts_with("GET http://far.test:81/a?b HTTP/1.1\r\nHost: a.test\r\n"), "{seen}");
        assert!(seen.contains("\r\nProxy-Authorization: Basic bWU6cHc=\r\n"), "{seen}");
    })
    .await;
}

async fn tunnel(answer: &'static str) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = behind("https://far.test", &format!("http://{}", listener.local_addr().unwrap()));
    let asked = tokio::task::spawn_local(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let asked = read_request(&mut stream).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut hello = [0; 1];
        let _none_after_a_refusal = stream.read(&mut hello).await;
        format!("{asked}{}", hello[0])
    });
    let Err(error) = dial(&endpoint, false).await else { panic!("there is no server at all") };
    (asked.await.unwrap(), error.to_string())
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    worker(async {
        let (asked, error) = tunnel("HTTP/1.1 200 Go\r\nX: y\r\n\r\n").await;
        assert_eq!(asked, "CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n\r\n22", "a ClientHello follows");
        assert!(error.starts_with("TLS handshake"), "{error}");
        let (_, error) = tunnel("HTTP/1.1 403 No\r\n\r\n").await;
        assert_eq!(error, "the proxy on the way refused: HTTP/1.1 403 No");
    })
    .await;
}
