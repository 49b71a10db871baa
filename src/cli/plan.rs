//! `trafficcop plan`: what would change if these files took the place of what a running router has from its file provider.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use trafficcop_config::Name;
use trafficcop_config::settings::Settings;
use trafficcop_router::Syntax;
use trafficcop_router::rule::parse_http;
use trafficcop_snapshot::{Question, Snapshot, Status, explain};

use super::explain::build;
use super::health::{self, Method};

/// How long a router that runs may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Kinds of middlewares that keep somebody out.
const GUARDS: [&str; 8] =
    ["apikey", "basicauth", "digestauth", "forwardauth", "ipallowlist", "ipdenylist", "ipwhitelist", "jwt"];
/// Routers that are asked whether others stand before them.
const MOST_ASKED: usize = 500;

/// Prints the plan. 0: nothing is lost by it, 1: something is (a guard, a router that would not work), 2: it could not be
/// found out.
pub(super) fn run(words: &[String], out: &mut impl Write) -> ExitCode {
    let (text, code) = match made(words) {
        Ok(plan) => (plan.text(), u8::from(!plan.losses.is_empty())),
        Err(message) => (format!("{message}\n"), 2),
    };
    let _ = out.write_all(text.as_bytes());
    ExitCode::from(code)
}

/// What would change; lines for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) changes: Vec<String>,
    pub(super) losses: Vec<String>,
}

impl Plan {
    fn text(&self) -> String {
        if self.changes.is_empty() && self.losses.is_empty() {
            return "Nothing would change.\n".to_owned();
        }
        let mut text = String::new();
        for line in self.changes.iter().chain(&self.losses) {
            let _writing_to_a_string_succeeds = writeln!(text, "{line}");
        }
        text
    }
}

fn made(words: &[String]) -> Result<Plan, String> {
    let (mut at, mut paths) = (None, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--at") {
            Some("") => at = Some(words.next().ok_or("flag needs an argument: --at")?.clone()),
            Some(value) if value.starts_with('=') => at = Some(value[1..].to_owned()),
            _ if word.starts_with("--") => return Err(format!("unknown flag: {word}")),
            _ => paths.push(word.clone()),
        }
    }
    let at = at.ok_or("plan needs --at http://HOST:PORT, the API of the router that runs")?;
    if paths.is_empty() {
        return Err("plan needs the files or the folder that are to come into force".to_owned());
    }
    let answer = health::ask(Method::Get, &format!("{}/api/rawdata", at.trim_end_matches('/')), PATIENCE)?;
    if answer.status != 200 {
        return Err(format!("{at} answers {}: {}", answer.status, String::from_utf8_lossy(&answer.body).trim()));
    }
    let live =
        serde_json::from_slice(&answer.body).map_err(|error| format!("{at} does not answer as the API: {error}"))?;
    let built = build(&paths)?;
    Ok(compare(&live, &built.snapshot, &built.settings))
}

/// A router, as far as a plan looks at it.
struct Seen {
    rule: String,
    service: String,
    middlewares: Vec<String>,
    resolver: String,
    guards: BTreeSet<String>,
}

/// Compares what runs with what would.
pub(super) fn compare(live: &Value, snapshot: &Snapshot, settings: &Settings) -> Plan {
    let (before, after) = (running(live), planned(snapshot));
    let mut plan = Plan::default();
    for (name, router) in &after {
        match before.get(name) {
            None => plan.changes.push(format!("+ {name}: {}", router.rule)),
            Some(old) => changed(name, old, router, &mut plan),
        }
        if before.get(name).is_none_or(|old| old.resolver != router.resolver || old.rule != router.rule)
            && !router.resolver.is_empty()
        {
            plan.changes.push(format!("  {name}: {} may be asked for a certificate", router.resolver));
        }
    }
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    plan.changes.extend(gone.map(|(name, router)| format!("- {name}: {}", router.rule)));
    for (name, report) in &snapshot.report.http.routers {
        if report.status() == Status::Disabled {
            let why: Vec<_> = report.notes.iter().map(|note| note.error.to_string()).collect();
            plan.losses.push(format!("! {name} would not work: {}", why.join("; ")));
        }
    }
    let notes = snapshot.report.notes.iter().map(|note| format!("! {}", note.error));
    plan.losses.extend(notes);
    let touched = after.iter().filter(|(name, router)| before.get(*name).is_none_or(|old| old.rule != router.rule));
    for (name, _) in touched.take(MOST_ASKED) {
        plan.losses.extend(shadowed(name, snapshot, settings));
    }
    plan
}

fn changed(name: &str, old: &Seen, new: &Seen, plan: &mut Plan) {
    let mut say = |what: &str, old: &str, new: &str| {
        if old != new {
            plan.changes.push(format!("~ {name}: {what} {old} → {new}"));
        }
    };
    say("rule", &old.rule, &new.rule);
    say("service", &old.service, &new.service);
    say("middlewares", &old.middlewares.join(", "), &new.middlewares.join(", "));
    for guard in old.guards.difference(&new.guards) {
        plan.losses.push(format!("! {name} would lose {guard}, which protects it"));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// Routers of the file provider, as the API of the running router tells of them.
fn running(live: &Value) -> BTreeMap<String, Seen> {
    let kinds = |name: &str| -> Vec<String> {
        let settings = live["middlewares"][name].as_object();
        settings.map(|settings| settings.keys().cloned().collect()).unwrap_or_default()
    };
    let seen = |(name, router): (&String, &Value)| {
        let listed = router["middlewares"].as_array().into_iter().flatten();
        let middlewares: Vec<String> = listed.map(text).collect();
        let guards = middlewares.iter().filter(|name| kinds(name).iter().any(|kind| is_guard(kind))).cloned().collect();
        let resolver = text(&router["tls"]["certResolver"]);
        let service = qualified(&text(&router["service"]), name);
        (name.clone(), Seen { rule: text(&router["rule"]), service, middlewares, resolver, guards })
    };
    let routers = live["routers"].as_object().into_iter().flatten();
    routers.filter(|(name, _)| name.ends_with("@file")).map(seen).collect()
}

/// The same of what would run.
fn planned(snapshot: &Snapshot) -> BTreeMap<String, Seen> {
    let http = &snapshot.merged.http;
    let routers = http.routers.iter().filter(|(name, _)| name.provider() == "file");
    let seen = |(name, router): (&Name, &trafficcop_merger::HttpRouter)| {
        let settings = &router.object.settings.value;
        let names: Vec<Name> = settings.middlewares.iter().map(|it| Name::qualify(it, name.provider())).collect();
        let is_guarding = |name: &&Name| {
            let kinds = http.middlewares.get(*name).map(|object| &object.settings.value.kinds);
            kinds.is_some_and(|kinds| kinds.iter().any(|(kind, _)| is_guard(kind)))
        };
        let guards = names.iter().filter(is_guarding).map(ToString::to_string).collect();
        let seen = Seen {
            rule: settings.rule.value.clone(),
            service: Name::qualify(&settings.service, name.provider()).to_string(),
            middlewares: names.iter().map(ToString::to_string).collect(),
            resolver: settings.tls.as_ref().map(|tls| tls.cert_resolver.clone()).unwrap_or_default(),
            guards,
        };
        (name.to_string(), seen)
    };
    routers.map(seen).collect()
}

fn is_guard(kind: &str) -> bool {
    GUARDS.iter().any(|guard| guard.eq_ignore_ascii_case(kind))
}

fn qualified(name: &str, owner: &str) -> String {
    Name::qualify(name, owner.rsplit('@').next().unwrap_or("")).to_string()
}

/// Whether another router takes what a router's first host would get.
fn shadowed(name: &str, snapshot: &Snapshot, settings: &Settings) -> Option<String> {
    let router = snapshot.merged.http.routers.get(&Name::qualify(name, ""))?;
    let own = &router.object.settings.value;
    let rule = parse_http(&own.rule, Syntax::named(&own.rule_syntax)).ok()?;
    let host = rule.domains().first()?;
    let scheme = if own.tls.is_some() { "https" } else { "http" };
    let mut question = Question::of_url(&format!("{scheme}://{host}/")).ok()?;
    question.set("entry-point", router.object.used.first()?).ok()?;
    let found = explain(snapshot, settings, &question).ok()?;
    let before = found.others.iter().find(|other| other.router == name && other.why.contains("comes first"))?;
    Some(format!("! {name} would get nothing for {host}/: {}", before.why))
}
