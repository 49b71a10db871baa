//! [`Engine`]: a connection to a Docker engine, and the questions that are asked of it.

mod dial;
mod endpoint;
mod transport;
mod version;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::errors::Error;
use bollard::models::EventMessage;
use bollard::query_parameters::{EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::StreamExt;
use http::header::HeaderValue;
use http_body_util::{BodyExt, Limited};
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::timeout;
use trafficcop_config::dynamic::http::CertificatePair;
use trafficcop_config::settings::discovery::Docker as Settings;
use trafficcop_provider::ProviderError;
use trafficcop_tls::client::{ClientTls, client_config};

use crate::change::Change;
use crate::container::{Container, Summary};
pub(crate) use endpoint::Endpoint;
use transport::Transport;

/// The longest that a question may take when `httpClientTimeout` does not say; Traefik would wait for ever.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the engine may take to begin with its events before we go on without the certainty.
const EVENTS_BEGIN: Duration = Duration::from_secs(2);
/// Changes that wait to be looked at. When they are too many the engine waits.
const MAX_WAITING: usize = 1024;
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// How to reach the engine.
#[derive(Clone)]
pub(crate) struct Access {
    endpoint: Endpoint,
    tls: Option<Arc<ClientConfig>>,
    authorization: Option<HeaderValue>,
    patience: Duration,
    /// What `DOCKER_API_VERSION` says; then nothing is negotiated.
    version: Option<String>,
}

impl Access {
    /// `provider` names the settings in errors.
    pub(crate) fn new(provider: &str, settings: &Settings, version: Option<String>) -> Result<Self, ProviderError> {
        let endpoint = Endpoint::parse(&settings.endpoint).map_err(|error| ProviderError(error.to_string()))?;
        let secure = settings.tls.is_some() || matches!(endpoint, Endpoint::Tcp { secure: true, .. });
        let tls = if secure { Some(tls(provider, settings)?) } else { None };
        let authorization = if settings.username.is_empty() && settings.password.is_empty() {
            None
        } else {
            let pair = STANDARD.encode(format!("{}:{}", settings.username, settings.password.reveal()));
            let mut value = HeaderValue::try_from(format!("Basic {pair}")).expect("base64 is fit for a header");
            value.set_sensitive(true);
            Some(value)
        };
        let patience = settings.http_client_timeout.positive().unwrap_or(PATIENCE);
        Ok(Self { endpoint, tls, authorization, patience, version })
    }
}

fn tls(provider: &str, settings: &Settings) -> Result<Arc<ClientConfig>, ProviderError> {
    let section = settings.tls.clone().unwrap_or_default();
    let listed = |text: String| if text.is_empty() { Vec::new() } else { vec![text] };
    let certificates = if section.cert.is_empty() && section.key.is_empty() {
        Vec::new()
    } else {
        vec![CertificatePair { cert_file: section.cert, key_file: section.key.reveal().to_owned() }]
    };
    let client = ClientTls {
        insecure_skip_verify: section.insecure_skip_verify,
        root_cas: listed(section.ca),
        certificates,
        ..ClientTls::default()
    };
    client_config(&client).map_err(|error| ProviderError(format!("providers.{provider}.tls: {error}")))
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Engine {
    docker: Docker,
    transport: Transport,
    patience: Duration,
}

impl Engine {
    /// Reaches the engine and agrees on a version with it.
    pub(crate) async fn connect(access: &Access) -> Result<Self, Error> {
        let transport = Transport::new(access.endpoint.clone(), access.tls.clone(), access.authorization.clone());
        let version = match &access.version {
            Some(version) => version.clone(),
            None => version::negotiate(&transport, access.patience).await?,
        };
        transport.speak(&version);
        tracing::debug!(version, "Speaking to the Docker engine.");
        let seconds = access.patience.as_secs().max(1);
        let carrier = transport.clone();
        let docker = Docker::connect_with_custom_transport(
            move |request| carrier.clone().carry(request),
            Some("http://docker"),
            seconds,
            API_DEFAULT_VERSION,
        )?;
        Ok(Self { docker, transport, patience: access.patience })
    }

    /// All containers, running or not.
    pub(crate) async fn list(&self) -> Result<Vec<Summary>, Error> {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let listed = timeout(self.patience, self.docker.list_containers(Some(options))).await;
        let listed = listed.unwrap_or(Err(Error::RequestTimeoutError))?;
        Ok(listed.into_iter().filter_map(Summary::read).collect())
    }

    /// One container; None when there is none of that id or name.
    pub(crate) async fn inspect(&self, id: &str) -> Result<Option<Container>, Error> {
        let inspected =
            timeout(self.patience, self.docker.inspect_container(id, None::<InspectContainerOptions>)).await;
        match inspected.unwrap_or(Err(Error::RequestTimeoutError)) {
            Ok(answer) => Ok(Container::read(answer)),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What bollard does not decode wholly.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let asked = async {
            let answer = self.transport.ask(path).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(std::io::Error::other)?;
            let body = body.to_bytes();
            if status.is_success() {
                return Ok(serde_json::from_slice(&body)?);
            }
            let message = String::from_utf8_lossy(&body).trim().to_owned();
            Err(Error::DockerResponseServerError { status_code: status.as_u16(), message })
        };
        timeout(self.patience, asked).await.unwrap_or(Err(Error::RequestTimeoutError))
    }

    /// Changes of containers from now on, see [`Engine::events`].
    pub(crate) async fn changes(&self) -> Result<mpsc::Receiver<Change>, Error> {
        self.events(&["container", "network"], Change::read).await
    }

    /// Events of these kinds from now on, as far as `read` makes something of them; the channel ends when the engine does.
    /// Returns once the engine listens, so that whatever is listed afterwards cannot have changed unseen.
    pub(crate) async fn events<T: Send + 'static>(
        &self,
        kinds: &[&'static str],
        read: fn(EventMessage) -> Option<T>,
    ) -> Result<mpsc::Receiver<T>, Error> {
        let (send, changes) = mpsc::channel(MAX_WAITING);
        let docker = self.docker.clone();
        let kinds = HashMap::from([("type", kinds.to_vec())]);
        let failure = tokio::spawn(async move {
            let options = EventsOptionsBuilder::new().filters(&kinds).build();
            let mut events = Box::pin(docker.events(Some(options)));
            loop {
                let event = tokio::select! {
                    event = events.next() => event,
                    () = send.closed() => return None,
                };
                match event {
                    Some(Ok(event)) => {
                        let Some(change) = read(event) else { continue };
                        if send.send(change).await.is_err() {
                            return None;
                        }
                    }
                    Some(Err(error)) => {
                        tracing::debug!(%error, "The engine's events ended.");
                        return Some(error);
                    }
                    None => return None,
                }
            }
        });
        tokio::select! {
            () = self.transport.listening() => Ok(changes),
            ended = failure => Err(ended.ok().flatten().unwrap_or(Error::RequestTimeoutError)),
            () = tokio::time::sleep(EVENTS_BEGIN) => Ok(changes),
        }
    }
}
