//! Metrics in InfluxDB's line protocol, named as Traefik names them there: counts since the last push, durations as percentiles.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use reqwest::Client;
use trafficcop_config::settings::observability::InfluxDb2;
use trafficcop_observe::metrics::{Families, FamilyKind, Point, PointValue, Sink};

use crate::ExportError;
use crate::traces::nanos;

const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Influx {
    client: Client,
    runtime: tokio::runtime::Runtime,
    url: String,
    token: String,
    labels: String,
    /// What every counter and histogram had at the last push.
    before: HashMap<String, Vec<f64>>,
}

impl Influx {
    pub(crate) fn new(settings: &InfluxDb2) -> Result<Self, ExportError> {
        let option = "metrics.influxDB2";
        let client =
            trafficcop_remote::client(None, option).map_err(|error| ExportError::Settings(error.to_string()))?;
        let client = client.timeout(PATIENCE).build().map_err(|error| ExportError::Settings(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let token = settings.token.reveal();
        // As the option says: a file's name or the token itself.
        let token = std::fs::read_to_string(token).map_or_else(|_| token.to_owned(), |text| text.trim().to_owned());
        let address = settings.address.trim_end_matches('/');
        let (bucket, org) = (escaped(&settings.bucket), escaped(&settings.org));
        let url = format!("{address}/api/v2/write?bucket={bucket}&org={org}&precision=ns");
        let labels = settings.additional_labels.iter().fold(String::new(), |mut labels, (name, value)| {
            tag(&mut labels, name, value);
            labels
        });
        Ok(Self { client, runtime, url, token, labels, before: HashMap::new() })
    }

    fn lines(&mut self, families: &Families, now: u64) -> String {
        let mut out = String::new();
        for family in &families.all {
            for point in &family.points {
                let mut series = format!("traefik.{}", family.short);
                for (name, value) in &point.labels {
                    tag(&mut series, name, value);
                }
                series.push_str(&self.labels);
                let Some(fields) = self.fields(&series, family.kind, point, &families.bounds) else { continue };
                let _writing_to_a_string_succeeds = writeln!(out, "{series} {fields} {now}");
            }
        }
        out
    }

    /// None: nothing happened since the last push.
    fn fields(&mut self, series: &str, kind: FamilyKind, point: &Point, bounds: &[f64]) -> Option<String> {
        match &point.value {
            PointValue::Number(number) if kind == FamilyKind::Gauge => Some(format!("value={number}")),
            PointValue::Number(number) => {
                let before = self.before.insert(series.to_owned(), vec![*number]);
                let change = number - before.map_or(0.0, |before| before[0]);
                (change > 0.0 || series.contains(".bytes.")).then(|| format!("count={change}"))
            }
            PointValue::Spread { buckets, .. } => {
                let now: Vec<f64> = buckets.iter().map(|count| *count as f64).collect();
                let before = self.before.insert(series.to_owned(), now.clone()).unwrap_or_default();
                let new = |(at, count): (usize, &f64)| count - before.get(at).copied().unwrap_or(0.0);
                let new: Vec<f64> = now.iter().enumerate().map(new).collect();
                let all: f64 = new.iter().sum();
                let at = |share: f64| percentile(&new, bounds, share * all);
                (all > 0.0).then(|| format!("p50={},p90={},p95={},p99={}", at(0.5), at(0.9), at(0.95), at(0.99)))
            }
        }
    }
}

/// The value below which that many fell, drawn straight between the bounds of its bucket.
fn percentile(buckets: &[f64], bounds: &[f64], wanted: f64) -> f64 {
    let mut below = 0.0;
    for (at, count) in buckets.iter().enumerate() {
        if below + count >= wanted && *count > 0.0 {
            let low = if at == 0 { 0.0 } else { bounds[at - 1] };
            let high = bounds.get(at).copied().unwrap_or(low);
            return low + (high - low) * ((wanted - below) / count);
        }
        below += count;
    }
    bounds.last().copied().unwrap_or(0.0)
}

impl Sink for Influx {
    fn take(&mut self, families: &Families) -> Result<(), String> {
        let lines = self.lines(families, nanos(SystemTime::now()));
        let request = self.client.post(&self.url).header("Authorization", format!("Token {}", self.token)).body(lines);
        self.runtime.block_on(async {
            let answer = request.send().await.map_err(trafficcop_remote::words)?;
            if answer.status().is_success() { Ok(()) } else { Err(format!("InfluxDB answered {}", answer.status())) }
        })
    }
}

/// A tag with what separates tags escaped. Tags without a value are not allowed.
fn tag(out: &mut String, name: &str, value: &str) {
    let put = |out: &mut String, text: &str| {
        for letter in text.chars() {
            match letter {
                ',' | '=' | ' ' => out.extend(['\\', letter]),
                '\n' | '\r' => out.push_str("\\ "),
                other => out.push(other),
            }
        }
    };
    if !value.is_empty() {
        out.push(',');
        put(out, name);
        out.push('=');
        put(out, value);
    }
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _writing_to_a_string_succeeds = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_cannot_break_out() {
        let mut out = "m".to_owned();
        tag(&mut out, "a b", "x,y=z\nw");
        tag(&mut out, "none", "");
        assert_eq!(out, r"m,a\ b=x\,y\=z\ w");
    }

    #[test]
    fn percentiles_lie_in_their_bucket() {
        assert!((percentile(&[0.0, 10.0, 0.0], &[1.0, 2.0], 5.0) - 1.5).abs() < 1e-9);
        assert!((percentile(&[0.0, 0.0, 4.0], &[1.0, 2.0], 2.0) - 2.0).abs() < 1e-9);
    }
}
