//! `/api/x/explain`: what a request would meet, and why. Ours; Traefik has none.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trafficcop_config::settings::Settings;
use trafficcop_exchange::StatusCode;
use trafficcop_provider::States;
use trafficcop_snapshot::{Explanation, Question, Snapshot, explain};

use crate::answer::Answer;
use crate::page::Query;

/// Reasons of one provider that are told.
const MOST_CAUSES: usize = 20;
/// Servers that are tried, and for how long each.
const MOST_TRIED: usize = 4;
const PATIENCE: Duration = Duration::from_millis(500);

/// Parameters beside `url`, which may be given more than once where that means something.
const OPTIONS: [&str; 5] = ["method", "header", "client-ip", "sni", "entry-point"];

pub(crate) fn answer(snapshot: &Snapshot, settings: &Settings, states: &States, query: &Query) -> Answer {
    let found = question(query).and_then(|question| explain(snapshot, settings, &question));
    match found {
        Ok(mut explanation) => {
            match &explanation.winner {
                Some(winner) => {
                    explanation.causes.extend(unreachable(&winner.service));
                    // A container whose network is not there is served by another; that may be why it is not reached.
                    let provider = format!("provider {}: ", winner.router.rsplit('@').next().unwrap_or_default());
                    let concerns = |why: &String| why.starts_with(&provider) && why.contains("is not in the network");
                    explanation.causes.extend(passed_over(states).filter(concerns));
                }
                // What a provider did not take may be what was meant.
                None => explanation.causes.extend(passed_over(states)),
            }
            Answer::json(&shown(&explanation))
        }
        Err(message) => Answer::Message(StatusCode::BAD_REQUEST, message),
    }
}

fn passed_over(states: &States) -> impl Iterator<Item = String> {
    let of_provider = |(name, state): (Arc<str>, trafficcop_provider::state::Shown)| {
        let said = move |why: String| format!("provider {name}: {why}");
        state.passed_over.into_iter().take(MOST_CAUSES).map(said)
    };
    states.show().into_iter().flat_map(of_provider)
}

/// Servers of the explanation that do not take a connection now: a wrong port, or nobody there. Whoever has no health check
/// hears of it nowhere else. Only addresses are tried; names would have to be looked up.
fn unreachable(lines: &[String]) -> Vec<String> {
    let address = |line: &String| {
        let (url, state) = line.trim().rsplit_once(": ")?;
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split('/').next()?;
        let port = if scheme == "https" { 443 } else { 80 };
        let address = authority.parse().or_else(|_| authority.parse().map(|ip: IpAddr| SocketAddr::new(ip, port)));
        (state == "up").then_some(())?;
        Some((url.to_owned(), address.ok()?))
    };
    let tried = lines.iter().filter_map(address).take(MOST_TRIED);
    let said = |(url, address): (String, SocketAddr)| {
        let error = TcpStream::connect_timeout(&address, PATIENCE).err()?;
        let why = match error.kind() {
            ErrorKind::ConnectionRefused => "nothing listens on that port".to_owned(),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => "it does not answer".to_owned(),
            _ => error.to_string(),
        };
        Some(format!("the server {url} takes no connection: {why}"))
    };
    tried.filter_map(said).collect()
}

fn question(query: &Query) -> Result<Question, String> {
    let mut question = Question::of_url(query.get("url"))?;
    for option in OPTIONS {
        for value in query.all(option) {
            question.set(option, value)?;
        }
    }
    Ok(question)
}

fn shown(explanation: &Explanation) -> Value {
    let winner = explanation.winner.as_ref().map(|winner| {
        json!({
            "router": winner.router,
            "rule": winner.rule,
            "priority": winner.priority,
            "why": winner.why,
            "children": winner.children,
            "middlewares": winner.middlewares,
            "service": winner.service,
        })
    });
    let others = explanation.others.iter().map(|other| json!({ "router": other.router, "why": other.why }));
    json!({
        "entryPoint": explanation.entry_point,
        "tlsOptions": explanation.tls_options,
        "winner": winner,
        "others": others.collect::<Vec<_>>(),
        "causes": explanation.causes,
        "text": explanation.to_string(),
    })
}
