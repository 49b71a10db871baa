//! Ways to the engine other than its socket: TCP, TLS, credentials.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use trafficcop_config::settings::ClientTls;

use super::Watched;
use super::fake::Engine;

const FOUND: [&str; 2] = ["a: Host(`a`) -> a", "a = http://10.0.0.1:80"];

/// A port that leads to the engine's socket, by TLS if there is a configuration for it.
struct Front {
    port: u16,
    work: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Front {
    async fn before(engine: &Engine, tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (socket, acceptor) = (engine.socket(), tls.map(|tls| TlsAcceptor::from(Arc::new(tls))));
        let work = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (socket, acceptor) = (socket.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let mut server = UnixStream::connect(socket).await.unwrap();
                    let _ended = match acceptor {
                        None => copy_bidirectional(&mut client, &mut server).await,
                        Some(acceptor) => match acceptor.accept(client).await {
                            Ok(mut client) => copy_bidirectional(&mut client, &mut server).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { port, work }
    }
}

/// A certificate for `localhost` that vouches for itself, as PEM, and a server that shows it.
fn certificate() -> (String, ServerConfig) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (made.cert.pem(), config)
}

fn engine() -> Engine {
    let engine = Engine::modern();
    engine.put("a", "10.0.0.1", &[]);
    engine
}

#[tokio::test]
async fn tcp_with_credentials() {
    let engine = engine();
    let front = Front::before(&engine, None).await;
    let mut settings = engine.settings();
    settings.endpoint = format!("tcp://127.0.0.1:{}", front.port);
    settings.username = "reader".into();
    settings.password = "secret".into();
    assert_eq!(Watched::start(&settings, None).next().await, FOUND);
    let world = engine.world.lock().unwrap();
    assert_eq!(world.credentials.len(), world.requests.len());
    assert!(world.credentials.iter().all(|value| value == "Basic cmVhZGVyOnNlY3JldA=="), "{:?}", world.credentials);
}

#[tokio::test]
async fn tls_with_an_authority_of_its_own() {
    let engine = engine();
    let (pem, config) = certificate();
    let front = Front::before(&engine, Some(config)).await;
    let mut settings = engine.settings();
    settings.endpoint = format!("tcp://localhost:{}", front.port);
    settings.tls = Some(ClientTls { ca: pem, ..ClientTls::default() });
    assert_eq!(Watched::start(&settings, None).next().await, FOUND);
    assert!(engine.world.lock().unwrap().credentials.is_empty());
}

#[tokio::test]
async fn tls_without_checks() {
    let engine = engine();
    let (_, config) = certificate();
    let front = Front::before(&engine, Some(config)).await;
    let mut settings = engine.settings();
    settings.endpoint = format!("https://127.0.0.1:{}", front.port);
    settings.tls = Some(ClientTls { insecure_skip_verify: true, ..ClientTls::default() });
    assert_eq!(Watched::start(&settings, None).next().await, FOUND);
}

#[tokio::test]
async fn a_stranger_s_certificate_is_refused() {
    let engine = engine();
    let (_, config) = certificate();
    let (other, _) = certificate();
    let front = Front::before(&engine, Some(config)).await;
    let mut settings = engine.settings();
    settings.endpoint = format!("tcp://localhost:{}", front.port);
    settings.tls = Some(ClientTls { ca: other, ..ClientTls::default() });
    let access = crate::engine::Access::new("docker", &settings, None).unwrap();
    let error = crate::engine::Engine::connect(&access).await.err().unwrap();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(engine.requests().is_empty());
}
