//! [`Lines`]: metrics as StatsD and Datadog spell them, under the names that Traefik gave them there.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use super::push::Dialect;
use super::series::{Scope, Scopes, Series};
use super::{Metrics, Present};

/// Lines under construction.
pub(super) struct Lines<'a> {
    dialect: Dialect,
    prefix: &'a str,
    written: Vec<String>,
    /// Without labels many series are one number; they are added up here, by name.
    sums: std::collections::BTreeMap<String, Sum>,
}

#[derive(Default)]
struct Sum {
    count: u64,
    seconds: f64,
    is_time: bool,
}

type Labels<'a> = [(&'a str, &'a str)];

impl<'a> Lines<'a> {
    pub(super) fn new(dialect: Dialect, prefix: &'a str) -> Self {
        let prefix = if prefix.is_empty() { "traefik" } else { prefix };
        Self { dialect, prefix, written: Vec::new(), sums: std::collections::BTreeMap::new() }
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        for (name, sum) in std::mem::take(&mut self.sums) {
            if sum.is_time {
                self.time_line(&name, &[], sum.count, sum.seconds);
            } else {
                self.line(&name, as_number(sum.count), "c", &[]);
            }
        }
        self.written
    }

    /// What was counted since the last time; nothing is not sent.
    pub(super) fn counter(&mut self, name: &str, labels: &Labels<'_>, count: u64) {
        if count > 0 {
            self.count(name, labels, count);
        }
    }

    fn count(&mut self, name: &str, labels: &Labels<'_>, count: u64) {
        match self.dialect {
            Dialect::StatsD => self.sums.entry(name.to_owned()).or_default().count += count,
            Dialect::Datadog => self.line(name, as_number(count), "c", labels),
        }
    }

    /// Requests that took that long together.
    fn time(&mut self, name: &str, labels: &Labels<'_>, count: u64, seconds: f64) {
        match self.dialect {
            _ if count == 0 => {}
            Dialect::StatsD => {
                let sum = self.sums.entry(name.to_owned()).or_default();
                (sum.count, sum.seconds, sum.is_time) = (sum.count + count, sum.seconds + seconds, true);
            }
            Dialect::Datadog => self.time_line(name, labels, count, seconds),
        }
    }

    /// What they took on average, as one of so many: the receiver's count and sum are right.
    fn time_line(&mut self, name: &str, labels: &Labels<'_>, count: u64, seconds: f64) {
        let mean = seconds / as_number(count);
        let rate = 1.0 / as_number(count);
        let (value, unit) = if self.dialect == Dialect::StatsD { (mean * 1000.0, "ms") } else { (mean, "h") };
        let kind = if count == 1 { unit.to_owned() } else { format!("{unit}|@{rate}") };
        self.line(name, value, &kind, labels);
    }

    fn line(&mut self, name: &str, value: f64, kind: &str, labels: &Labels<'_>) {
        let mut line = format!("{}.{name}:{value:.6}|{kind}", self.prefix);
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { "|#" } else { "," };
            let _text_takes_all = write!(line, "{before}{label}:{}", tag(text));
        }
        line.push('\n');
        self.written.push(line);
    }

    /// The gauges. Without labels: connections together, and the earliest and the worst of the others.
    pub(super) fn world(&mut self, metrics: &Metrics, present: &Present) {
        let seconds = |seconds: i64| as_number(u64::try_from(seconds).unwrap_or(0));
        let reload = seconds(metrics.last_reload.load(Ordering::Relaxed));
        self.line("config.reload.lastSuccessTimestamp", reload, "g", &[]);
        let open = metrics.connections.iter();
        let open: Vec<_> = open.map(|(name, count)| (&**name, seconds(count.load(Ordering::Relaxed)))).collect();
        if self.dialect == Dialect::StatsD {
            self.line("open.connections", open.iter().map(|(_, count)| count).sum(), "g", &[]);
            if let Some(end) = present.certificates.iter().map(|certificate| certificate.not_after).min() {
                self.line("tls.certs.notAfterTimestamp", seconds(end), "g", &[]);
            }
            if metrics.by_service && !present.servers.is_empty() {
                let is_up = present.servers.iter().all(|server| server.is_up);
                self.line("service.server.up", f64::from(u8::from(is_up)), "g", &[]);
            }
            return;
        }
        for (name, count) in open {
            self.line("open.connections", count, "g", &[("entrypoint", name), ("protocol", "TCP")]);
        }
        for certificate in &present.certificates {
            let labels = [("cn", &*certificate.cn), ("serial", &certificate.serial), ("sans", &certificate.sans)];
            self.line("tls.certs.notAfterTimestamp", seconds(certificate.not_after), "g", &labels);
        }
        for server in present.servers.iter().filter(|_| metrics.by_service) {
            let labels = [("service", &*server.service), ("url", &server.url)];
            self.line("service.server.up", f64::from(u8::from(server.is_up)), "g", &labels);
        }
    }

    /// What one kind of scope counted since `before`.
    pub(super) fn scopes(&mut self, label: &str, beside: Option<&str>, now: &Scopes, before: &Scopes) {
        let (nothing, none) = (Scope::default(), Series::default());
        for (name, scope) in &now.0 {
            let old = before.0.get(name).filter(|old| old.beside == scope.beside).unwrap_or(&nothing);
            let mut own = vec![(label, &**name)];
            own.extend(beside.map(|beside| (beside, &*scope.beside)));
            for (key, series) in &scope.series {
                let old = old.series.get(key).unwrap_or(&none);
                let code = key.code.to_string();
                let mut labels = own.clone();
                labels.extend([("code", &*code), ("method", key.method.0), ("protocol", key.protocol.name())]);
                let (requests, requests_before) = (total(series), total(old));
                let count = since(requests, requests_before);
                // One that began anew has nothing before it.
                let seconds = if requests < requests_before {
                    series.spread.seconds
                } else {
                    series.spread.seconds - old.spread.seconds
                };
                self.counter(&format!("{label}.request.total"), &labels, count);
                self.time(&format!("{label}.request.duration"), &labels, count, seconds);
                let bytes_in = since(series.spread.bytes_in, old.spread.bytes_in);
                let bytes_out = since(series.spread.bytes_out, old.spread.bytes_out);
                // As in Traefik, requests without a body have no bytes, and that is told.
                if count > 0 {
                    self.count(&format!("{label}.requests.bytes.total"), &labels, bytes_in);
                    self.count(&format!("{label}.responses.bytes.total"), &labels, bytes_out);
                }
            }
            for ((version, cipher), count) in &scope.tls {
                let mut labels = own.clone();
                labels.extend([("tls_version", *version), ("tls_cipher", *cipher)]);
                let before = old.tls.get(&(*version, *cipher)).copied().unwrap_or(0);
                self.counter(&format!("{label}.request.tls.total"), &labels, since(*count, before));
            }
        }
    }
}

fn total(series: &Series) -> u64 {
    series.spread.requests()
}

/// A count that fell began anew.
fn since(now: u64, before: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

#[expect(clippy::cast_precision_loss, reason = "the formats know no other numbers")]
fn as_number(count: u64) -> f64 {
    count as f64
}

/// Nothing in a value may end its tag or its line.
fn tag(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, ',' | '|' | '#') { '_' } else { c }).collect()
}
