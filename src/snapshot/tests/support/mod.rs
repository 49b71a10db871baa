//! What the tests of this crate share: builders over written configurations, and requests through what they built.

#![allow(dead_code)] // each test uses its own part of this

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Runtime;

use trafficcop_config::dynamic::{Configuration, document};
use trafficcop_config::read::{Format, document as read};
use trafficcop_config::settings::Settings;
use trafficcop_config::settings::load::{Source, load};
use trafficcop_exchange::{
    Body, ConnectionInfo, Exchange, LocalBoxFuture, Method, Request, Response, Service, StatusCode, Target, TlsInfo,
};
use trafficcop_merger::Configurations;
use trafficcop_snapshot::{Builder, Environment, Route, Snapshot};

/// Answers with the path that reached it.
struct Echo;

impl Service for Echo {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        let mut response = Response::new(StatusCode::OK);
        let router = cx.route.as_ref().map(|route| route.router.to_string()).unwrap_or_default();
        response.body = Body::from(format!("{} by {router}", req.target.path()));
        Box::pin(std::future::ready(response))
    }
}

/// A builder over an echo and nothing else of our own.
pub(crate) struct Bench {
    pub(crate) builder: Builder,
    internal: Arc<Configuration>,
}

/// Where health checks would run.
fn control() -> &'static Runtime {
    static CONTROL: OnceLock<Runtime> = OnceLock::new();
    CONTROL.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
    })
}

thread_local! {
    static WORKER: Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
}

pub(crate) fn settings(yaml: &str) -> Settings {
    let node = read(yaml, Format::Yaml, "static.yml").expect("it is YAML");
    load(Source::File("static.yml".into()), &node).expect("the settings are right").settings
}

/// One entry point `web`, another `tls`.
pub(crate) const STATIC: &str = "entryPoints: {tls: {address: ':2'}, web: {address: ':1'}}";

impl Bench {
    pub(crate) fn new(static_yaml: &str) -> Self {
        let names = ["echo", "api", "dashboard", "ping", "noop"];
        let internal = BTreeMap::from(names.map(|name| (name.to_owned(), Arc::new(Echo) as Arc<dyn Service>)));
        let control = control().handle().clone();
        let settings = Arc::new(settings(static_yaml));
        let of_settings = Arc::new(trafficcop_provider_internal::configuration(&settings));
        let environment = Environment { settings, internal, control };
        Self { builder: Builder::new(environment), internal: of_settings }
    }

    /// Applies what one provider, `file`, says; another brings the default certificate, so that none must be made.
    pub(crate) fn apply(&mut self, yaml: &str) -> Arc<Snapshot> {
        self.apply_all(configurations(&[("file", yaml)]))
    }

    /// Applies what several providers say, and what the settings say.
    pub(crate) fn apply_all(&mut self, mut said: Configurations) -> Arc<Snapshot> {
        said.insert("internal".into(), Arc::clone(&self.internal));
        said.extend(configurations(&[("certificates", certificate())]));
        self.builder.apply(&said)
    }
}

/// A default certificate, made once.
fn certificate() -> &'static str {
    static CERTIFICATE: OnceLock<String> = OnceLock::new();
    CERTIFICATE.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["default.test".to_owned()]).expect("a certificate can be made");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        format!(
            "{{tls: {{stores: {{default: {{defaultCertificate: {{certFile: {certificate:?}, keyFile: {key:?}}}}}}}}}}}"
        )
    })
}

pub(crate) fn configurations(said: &[(&str, &str)]) -> Configurations {
    let decode = |provider: &str, yaml: &str| {
        let node = read(yaml, Format::Yaml, &format!("{provider}.yml")).expect("it is YAML");
        Arc::new(document::decode(node).expect("the document is acceptable"))
    };
    said.iter().map(|(provider, yaml)| ((*provider).into(), decode(provider, yaml))).collect()
}

/// The route of that name on an entry point.
pub(crate) fn route(snapshot: &Snapshot, entry: &str, name: &str) -> Option<Arc<Route>> {
    let entry = snapshot.entry(entry).expect("the entry point exists");
    let mut all = entry.http.routes().chain(entry.https.routes());
    all.find(|route| *route.name == *name).map(|route| Arc::clone(&route.route))
}

pub(crate) fn request(path: &str) -> Request {
    Request::new(Method::GET, Target::parse(bytes::Bytes::copy_from_slice(path.as_bytes())))
}

/// An exchange of a connection; with the name of the TLS options it was made under.
pub(crate) fn exchange(tls: Option<&str>) -> Exchange {
    let tls = tls.map(|options| Arc::new(TlsInfo { options: options.into(), ..TlsInfo::default() }));
    let peer = ([10, 0, 0, 1], 1).into();
    let local = ([127, 0, 0, 1], 80).into();
    Exchange::new(Rc::new(ConnectionInfo::new("web".into(), peer, local, tls)))
}

/// Status and body of one request through a route.
pub(crate) fn ask(route: &Route, request: Request, tls: Option<&str>) -> String {
    let mut cx = exchange(tls);
    cx.route = Some(Arc::clone(&route.info));
    let answer = async {
        let mut response = route.service.call(request, &mut cx).await;
        let body = response.body.collect(1 << 20).await.expect("a readable body");
        format!("{} {}", response.status.as_u16(), String::from_utf8_lossy(&body).trim())
    };
    WORKER.with(|worker| tokio::task::LocalSet::new().block_on(worker, answer))
}

/// Everything a snapshot would do and say, as text: routes by rank with the answer of each, TLS options, the report.
pub(crate) fn describe(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for entry in &snapshot.entries {
        for (protocol, table) in [("http", &entry.http), ("https", &entry.https)] {
            for ranked in table.routes() {
                let route = &ranked.route;
                let tls = (protocol == "https").then_some(&*route.tls_options);
                let answer = ask(route, request("/a/b"), tls);
                let _ = writeln!(
                    out,
                    "{} {protocol} {} {} {:?} -> {:?} tls {} answers {answer}",
                    entry.name,
                    ranked.priority,
                    ranked.name,
                    ranked.rule.domains(),
                    route.info,
                    route.tls_options,
                );
            }
        }
        let _ = writeln!(out, "{} {:?}", entry.name, entry.tls_options);
    }
    let report = &snapshot.report;
    for (protocol, section) in [("http", &report.http), ("tcp", &report.tcp), ("udp", &report.udp)] {
        for (kind, objects) in
            [("router", &section.routers), ("service", &section.services), ("middleware", &section.middlewares)]
        {
            for (name, object) in objects {
                let untouched = if object.is_untouched { " untouched" } else { "" };
                let _ = writeln!(out, "{protocol} {kind} {name}: {}{untouched}", object.status().name());
                for note in &object.notes {
                    let _ = writeln!(out, "    {:?} {:?} | {}", note.severity, note.message, note.error);
                }
            }
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "{:?} {:?} | {}", note.severity, note.message, note.error);
    }
    out
}
