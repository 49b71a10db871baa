//! What must hold of settings beyond the kind of each value. Errors are what Traefik refuses to start with; warnings
//! are what it starts in spite of, leaving out the thing in question.

use std::net::IpAddr;

use super::entry_points::EntryPoint;
use super::providers::PRECEDENCE;
use super::{Settings, certificates, listeners};
use crate::suggest::nearest;
use crate::{ConfigError, Node, Problem};

/// What was found, each with the place it was written at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<ConfigError>,
}

/// Examines completed settings. `document` is what they were decoded from: it knows the places.
pub fn validate(settings: &Settings, document: &Node) -> Findings {
    let mut examiner = Examiner { document, found: Findings::default() };
    examiner.log(settings);
    examiner.core(settings);
    examiner.api(settings);
    for (name, entry_point) in &settings.entry_points {
        examiner.entry_point(name, entry_point, settings);
    }
    listeners::validate(settings, &mut examiner);
    certificates::validate(settings, &mut examiner);
    examiner.found
}

pub(super) struct Examiner<'a> {
    document: &'a Node,
    pub(super) found: Findings,
}

impl Examiner<'_> {
    /// Something that refuses the start.
    pub(super) fn error(&mut self, path: impl Into<String>, problem: Problem) {
        let error = self.at(path.into(), problem);
        self.found.errors.push(error);
    }

    /// Something that is left out.
    pub(super) fn warn(&mut self, path: impl Into<String>, problem: Problem) {
        let error = self.at(path.into(), problem);
        self.found.warnings.push(error);
    }

    fn at(&self, path: String, problem: Problem) -> ConfigError {
        let mut node = self.document;
        for word in path.split('.') {
            let (word, index) = match word.strip_suffix(']').and_then(|word| word.split_once('[')) {
                Some((word, index)) => (word, index.parse().ok()),
                None => (word, None),
            };
            let Some(child) = node.get(word) else { break };
            node = match (&child.value, index) {
                (crate::Value::List(items), Some(index)) => items.get::<usize>(index).unwrap_or(child),
                _ => child,
            };
        }
        ConfigError { at: node.at.clone(), path, problem }
    }

    fn one_of(found: &str, names: &[&'static str]) -> Option<Problem> {
        if names.contains(&found) {
            return None;
        }
        let nearest = nearest(found, names.iter().copied()).map(str::to_owned);
        Some(Problem::BadValue {
            found: format!("{found:?}"),
            expected: format!("one of {}", names.join(", ")),
            nearest,
        })
    }

    fn log(&mut self, settings: &Settings) {
        let Some(log) = &settings.log else { return };
        let levels = ["trace", "debug", "info", "warn", "error", "fatal", "panic"];
        if let Some(problem) = Self::one_of(&log.level.to_lowercase(), &levels) {
            self.warn("log.level", problem);
        }
        if let Some(problem) = Self::one_of(&log.format, &["common", "json"]) {
            self.warn("log.format", problem);
        }
        if log.otlp.is_some() && !settings.experimental.otlplogs {
            self.error("log.otlp", other("needs experimental.otlplogs to be true"));
        }
    }

    fn core(&mut self, settings: &Settings) {
        if let Some(problem) = Self::one_of(&settings.core.default_rule_syntax, &["v3", "v2"]) {
            self.error("core.defaultRuleSyntax", problem);
        }
        for (index, name) in settings.providers.precedence.iter().enumerate() {
            let name = name.to_lowercase();
            let plugin = name
                .strip_prefix("plugin-")
                .is_some_and(|plugin| settings.providers.plugin.keys().any(|known| known.eq_ignore_ascii_case(plugin)));
            if !plugin && let Some(problem) = Self::one_of(&name, &PRECEDENCE) {
                self.error(format!("providers.precedence[{index}]"), problem);
            }
        }
        if settings.providers.knative.is_some() && !settings.experimental.knative {
            self.error("providers.knative", other("needs experimental.knative to be true"));
        }
        if settings.access_log.as_ref().is_some_and(|log| log.otlp.is_some()) && !settings.experimental.otlplogs {
            self.error("accessLog.otlp", other("needs experimental.otlplogs to be true"));
        }
        if settings.providers.file.as_ref().is_some_and(|file| file.directory.is_empty() && file.filename.is_empty()) {
            self.warn("providers.file", other("has neither directory nor filename and reads nothing"));
        }
    }

    fn api(&mut self, settings: &Settings) {
        if let Some(api) = &settings.api {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.:~-".contains(&byte);
            if !api.base_path.starts_with('/') || !api.base_path.bytes().all(allowed) {
                self.error("api.basePath", bad(&api.base_path, "an absolute path of letters, digits and / _ . : ~ -"));
            }
        }
        let ping = settings.ping.as_ref().filter(|ping| !ping.manual_routing).map(|ping| &ping.entry_point);
        self.entry_point_exists("ping.entryPoint", ping, settings);
        let prometheus = settings.metrics.as_ref().and_then(|metrics| metrics.prometheus.as_ref());
        let metrics = prometheus.filter(|metrics| !metrics.manual_routing).map(|metrics| &metrics.entry_point);
        self.entry_point_exists("metrics.prometheus.entryPoint", metrics, settings);
    }

    /// Warns when `name` is no entry point.
    pub(super) fn entry_point_exists(&mut self, path: &str, name: Option<&String>, settings: &Settings) {
        if let Some(name) = name.filter(|name| !settings.entry_points.contains_key(*name)) {
            let nearest = nearest(name, settings.entry_points.keys().map(String::as_str)).map(str::to_owned);
            let expected = "an entry point".to_owned();
            self.warn(path, Problem::BadValue { found: format!("{name:?}"), expected, nearest });
        }
    }

    fn entry_point(&mut self, name: &str, entry_point: &EntryPoint, settings: &Settings) {
        let path = |rest: &str| format!("entryPoints.{name}.{rest}");
        let http = &entry_point.http;
        for (key, strategy) in [
            ("http.aliasHeadersStrategy", &http.alias_headers_strategy),
            ("http.underscoreHeadersStrategy", &http.underscore_headers_strategy),
        ] {
            if let Some(problem) = Self::one_of(strategy, &["keep", "delete", "reject"])
                && !strategy.is_empty()
            {
                self.error(path(key), problem);
            }
        }
        let (new, old) = (&http.alias_headers_strategy, &http.underscore_headers_strategy);
        if !new.is_empty() && !old.is_empty() && new != old {
            self.error(path("http.underscoreHeadersStrategy"), other("contradicts aliasHeadersStrategy"));
        }
        self.networks(&path("forwardedHeaders.trustedIPs"), &entry_point.forwarded_headers.trusted_ips);
        if let Some(proxy_protocol) = &entry_point.proxy_protocol {
            self.networks(&path("proxyProtocol.trustedIPs"), &proxy_protocol.trusted_ips);
            if !proxy_protocol.insecure && proxy_protocol.trusted_ips.is_empty() {
                self.error(path("proxyProtocol"), other("needs trustedIPs, or insecure to trust everybody"));
            }
        }
        let http2 = &entry_point.http2;
        for (key, value) in [
            ("http2.maxConcurrentStreams", http2.max_concurrent_streams),
            ("http2.maxDecoderHeaderTableSize", http2.max_decoder_header_table_size),
            ("http2.maxEncoderHeaderTableSize", http2.max_encoder_header_table_size),
        ] {
            if value < 0 {
                self.error(path(key), bad(&value.to_string(), "zero or more"));
            }
        }
        if let Some(problem) = Self::one_of(&entry_point.observability.trace_verbosity, &["minimal", "detailed"]) {
            self.warn(path("observability.traceVerbosity"), problem);
        }
        if let Some(redirection) = &http.redirections.entry_point {
            let path = path("http.redirections.entryPoint.to");
            match redirection.to.strip_prefix(':').map(str::parse::<u16>) {
                _ if redirection.to.is_empty() => {
                    self.warn(path, Problem::Missing { field: "an entry point or port".into() });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) => self.warn(path, bad(&redirection.to, "an entry point or :port")),
                None => self.entry_point_exists(&path, Some(&redirection.to), settings),
            }
        }
    }

    fn networks(&mut self, path: &str, texts: &[String]) {
        for (index, text) in texts.iter().enumerate() {
            if text.parse::<IpAddr>().is_err() && text.parse::<ipnet::IpNet>().is_err() {
                self.error(format!("{path}[{index}]"), bad(text, "an IP address or a network such as 10.0.0.0/8"));
            }
        }
    }
}

pub(super) fn bad(found: &str, expected: &str) -> Problem {
    Problem::BadValue { found: format!("{found:?}"), expected: expected.to_owned(), nearest: None }
}

pub(super) fn other(message: &str) -> Problem {
    Problem::Other { message: message.to_owned() }
}
