//! [`Dns`]: names are proved by records in their zone.
//!
//! The providers go by lego's names and are told by lego's variables, as users of Traefik have them. Records are put by a
//! program ([`exec`]), by somebody who is asked over HTTP ([`httpreq`]) or by a library that knows the companies' APIs.

mod exec;
mod httpreq;
mod lookup;
mod propagation;
mod providers;
mod special;
mod variables;

use std::time::Duration;

use dns_update::{DnsRecord, DnsRecordType, DnsUpdater};
use trafficcop_config::settings::certificates::DnsChallenge;

use lookup::Lookup;
use variables::Variables;

/// What a provider takes to be asked, at most.
const CALL: Duration = Duration::from_mins(3);

/// One answer to one challenge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// The name that is being proved, without a wildcard.
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) authorization: String,
    /// What the record shall say.
    pub(crate) value: String,
}

/// A record that was put.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    answer: Answer,
    /// `_acme-challenge.` and the name, or where an alias leads from there; with a dot at its end.
    host: String,
}

/// How records are put.
enum Way {
    Exec(exec::Exec),
    HttpReq(httpreq::HttpReq),
    Library(Box<DnsUpdater>),
}

/// What a provider's variables say of time.
struct Pace {
    ttl: u32,
    propagation: Duration,
    poll: Duration,
}

pub(crate) struct Dns {
    way: Way,
    pace: Pace,
    lookup: Lookup,
    checks: propagation::Checks,
    follows_aliases: bool,
}

impl Dns {
    /// Reads the environment and files that it names.
    pub(crate) fn new(settings: &DnsChallenge) -> Result<Self, String> {
        Self::with(settings, &Variables::of_process())
    }

    fn with(settings: &DnsChallenge, variables: &Variables) -> Result<Self, String> {
        let told = |error: String| format!("dnsChallenge.provider {}: {error}", settings.provider);
        let (way, prefix) = way(&settings.provider.to_ascii_lowercase(), variables).map_err(told)?;
        let pace = Pace {
            ttl: variables.number(&format!("{prefix}_TTL")).and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or(120),
            propagation: variables.seconds(&format!("{prefix}_PROPAGATION_TIMEOUT")).unwrap_or(Duration::from_mins(1)),
            poll: variables.seconds(&format!("{prefix}_POLLING_INTERVAL")).unwrap_or(Duration::from_secs(2)),
        };
        let follows_aliases = variables.find("LEGO_DISABLE_CNAME_SUPPORT").is_none_or(|value| value != "true");
        let checks = propagation::Checks::new(settings);
        Ok(Self { way, pace, lookup: Lookup::new(&settings.resolvers), checks, follows_aliases })
    }

    /// What waiting for records may take at most.
    pub(crate) fn patience(&self) -> Duration {
        self.checks.delay() + self.pace.propagation
    }

    pub(crate) async fn put(&self, answer: Answer) -> Result<Placed, String> {
        let mut host = format!("_acme-challenge.{}.", answer.name);
        if self.follows_aliases {
            host = self.lookup.alias(&host).await;
        }
        let placed = Placed { answer, host };
        self.call("present", &placed).await?;
        Ok(placed)
    }

    /// Waits until the records can be seen.
    pub(crate) async fn wait(&self, placed: &[Placed]) -> Result<(), String> {
        propagation::wait(&self.checks, &self.lookup, placed, self.pace.propagation, self.pace.poll).await
    }

    /// Takes a record away. What cannot be taken away harms nobody.
    pub(crate) async fn remove(&self, placed: &Placed) {
        if let Err(error) = self.call("cleanup", placed).await {
            tracing::warn!(record = placed.host, %error, "A challenge's record could not be removed.");
        }
    }

    async fn call(&self, action: &'static str, placed: &Placed) -> Result<(), String> {
        let done = async {
            match &self.way {
                Way::Exec(program) => program.run(action, placed).await,
                Way::HttpReq(endpoint) => endpoint.ask(action, placed).await,
                Way::Library(updater) => self.update(updater, action, placed).await,
            }
        };
        let done = tokio::time::timeout(CALL, done).await;
        let told = |error: String| format!("the DNS provider's {action} of {}: {error}", placed.host);
        done.unwrap_or_else(|_| Err("it took too long".to_owned())).map_err(told)
    }

    async fn update(&self, updater: &DnsUpdater, action: &str, placed: &Placed) -> Result<(), String> {
        let zone = self.lookup.zone(&placed.host).await?;
        let records = vec![DnsRecord::TXT(placed.answer.value.clone())];
        let (host, kind) = (placed.host.as_str(), DnsRecordType::TXT);
        let done = match action {
            "present" => updater.add_to_rrset(host, kind, self.pace.ttl, records, zone.as_str()).await,
            _ => updater.remove_from_rrset(host, kind, records, zone.as_str()).await,
        };
        done.map_err(|error| error.to_string())
    }
}

/// The way of a provider, by lego's name, and how its variables begin.
fn way(name: &str, variables: &Variables) -> Result<(Way, &'static str), String> {
    match name {
        "" => Err("it is missing".to_owned()),
        "manual" => {
            Err("nobody sits at this program's keyboard: put the records by exec, httpreq or an API".to_owned())
        }
        "exec" => Ok((Way::Exec(exec::Exec::new(variables)?), "EXEC")),
        "httpreq" => Ok((Way::HttpReq(httpreq::HttpReq::new(variables)?), "HTTPREQ")),
        _ => {
            let found = match special::find(name, variables) {
                Some(found) => Some(found?),
                None => providers::find(name, variables).transpose()?,
            };
            let (updater, prefix) = found.ok_or_else(|| {
                let known = providers::NAMES.iter().chain(special::KNOWN.iter().map(|(known, _)| known));
                let near = known.map(|known| (known, strsim::levenshtein(known, name)));
                let near = near.filter(|(_, distance)| *distance <= 2).min_by_key(|(_, distance)| *distance);
                let hint = near.map_or_else(
                    || "exec and httpreq reach every other".to_owned(),
                    |(known, _)| format!("did you mean {known}?"),
                );
                format!("it is unknown here; {hint}")
            })?;
            Ok((Way::Library(Box::new(updater)), prefix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(provider: &str, variables: &[(&str, &str)]) -> String {
        let settings = DnsChallenge { provider: provider.into(), ..DnsChallenge::default() };
        Dns::with(&settings, &Variables::of(variables)).err().unwrap_or_default()
    }

    #[test]
    fn what_cannot_work_says_why() {
        assert!(refused("manual", &[]).contains("by exec, httpreq or an API"));
        assert!(refused("cloudflar", &[]).contains("did you mean cloudflare?"));
        assert!(refused("nonsense-company", &[]).contains("exec and httpreq"));
        assert!(refused("exec", &[]).contains("EXEC_PATH"));
        assert!(refused("digitalocean", &[]).contains("DO_AUTH_TOKEN"));
        assert_eq!(refused("digitalocean", &[("DO_AUTH_TOKEN", "x")]), "");
    }
}
