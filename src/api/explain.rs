//! `/api/x/explain`: what a request would meet, and why. Ours; Traefik has none.

use serde_json::{Value, json};
use trafficcop_config::settings::Settings;
use trafficcop_exchange::StatusCode;
use trafficcop_snapshot::{Explanation, Question, Snapshot, explain};

use crate::answer::Answer;
use crate::page::Query;

/// Parameters beside `url`, which may be given more than once where that means something.
const OPTIONS: [&str; 5] = ["method", "header", "client-ip", "sni", "entry-point"];

pub(crate) fn answer(snapshot: &Snapshot, settings: &Settings, query: &Query) -> Answer {
    let found = question(query).and_then(|question| explain(snapshot, settings, &question));
    match found {
        Ok(explanation) => Answer::json(&shown(&explanation)),
        Err(message) => Answer::Message(StatusCode::BAD_REQUEST, message),
    }
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
