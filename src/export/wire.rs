//! [`Wire`]: an encoded request on its way to a collector, over HTTP or gRPC.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use trafficcop_config::settings::observability::{OtlpGrpc, OtlpHttp};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

/// See the module.
pub(crate) struct Wire {
    client: Client,
    url: String,
    is_grpc: bool,
}

impl Wire {
    pub(crate) fn http(signal: Signal, settings: &OtlpHttp) -> Result<Self, String> {
        let mut url = settings.endpoint.clone();
        // Where the address has no path, the usual one is meant.
        if url.split_once("://").is_some_and(|(_, rest)| !rest.contains('/')) {
            url.push_str(signal.path());
        }
        let client = trafficcop_remote::client(settings.tls.as_ref(), "otlp.http.tls").map_err(|it| it.to_string())?;
        let client = client.timeout(PATIENCE).default_headers(headers(&settings.headers)?);
        Ok(Self { client: client.build().map_err(|error| error.to_string())?, url, is_grpc: false })
    }

    pub(crate) fn grpc(signal: Signal, settings: &OtlpGrpc) -> Result<Self, String> {
        let scheme = if settings.insecure { "http" } else { "https" };
        let url = format!("{scheme}://{}{}", settings.endpoint, signal.method());
        let client = trafficcop_remote::client(settings.tls.as_ref(), "otlp.grpc.tls").map_err(|it| it.to_string())?;
        let client = client.timeout(PATIENCE).default_headers(headers(&settings.headers)?).http2_prior_knowledge();
        Ok(Self { client: client.build().map_err(|error| error.to_string())?, url, is_grpc: true })
    }

    /// Sends one encoded request.
    pub(crate) async fn send(&self, request: Vec<u8>) -> Result<(), String> {
        let sent = if self.is_grpc {
            let mut framed = Vec::with_capacity(request.len() + 5);
            framed.push(0);
            framed.extend_from_slice(&u32::try_from(request.len()).unwrap_or(u32::MAX).to_be_bytes());
            framed.extend_from_slice(&request);
            let post = self.client.post(&self.url).header("Content-Type", "application/grpc").header("TE", "trailers");
            post.body(framed)
        } else {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            let packed =
                packed.write_all(&request).and_then(|()| packed.finish()).map_err(|error| error.to_string())?;
            let post = self.client.post(&self.url).header("Content-Type", "application/x-protobuf");
            post.header("Content-Encoding", "gzip").body(packed)
        };
        let answer = sent.send().await.map_err(trafficcop_remote::words)?;
        verdict(answer).await
    }
}

async fn verdict(answer: Response) -> Result<(), String> {
    let status = answer.status();
    let of_grpc = answer.headers().get("grpc-status").and_then(|code| code.to_str().ok()).unwrap_or("0").to_owned();
    // The answer is read so that the connection can be used again.
    let _unread = trafficcop_remote::body(answer, 1 << 16).await;
    match (status.is_success(), of_grpc.as_str()) {
        (true, "0") => Ok(()),
        (true, code) => Err(format!("the collector answered with gRPC status {code}")),
        (false, _) => Err(format!("the collector answered {status}")),
    }
}

fn headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    given.iter().try_fold(HeaderMap::new(), |mut headers, (name, value)| {
        let named: HeaderName = name.parse().map_err(|_| format!("{name:?} is not the name of a header"))?;
        let value: HeaderValue = value.parse().map_err(|_| format!("the value of header {name:?} is not usable"))?;
        headers.insert(named, value);
        Ok(headers)
    })
}
