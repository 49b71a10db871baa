//! Objects of any protocol, in the form that lists and maps show.

use serde_json::{Map, Value};
use trafficcop_config::Name;
use trafficcop_exchange::Response;
use trafficcop_snapshot::ObjectReport;

use crate::answer;
use crate::page::{self, Query};

/// Objects of one kind, and the word for one of them.
pub(crate) struct Kind {
    pub(crate) word: &'static str,
    pub(crate) objects: Vec<Object>,
}

/// One object, ready to be shown.
pub(crate) struct Object {
    pub(crate) name: Name,
    /// Its settings and its state.
    pub(crate) fields: Map<String, Value>,
    /// What lists and single answers show beside it: `name`, `provider`, `type` …
    pub(crate) extra: Map<String, Value>,
    /// Shown only beside it in lists, and within it in the raw data.
    pub(crate) server_status: Option<Value>,
    pub(crate) status: &'static str,
}

impl Object {
    /// `used` goes under `using` (routers) or `usedBy` (others).
    pub(crate) fn new(name: &Name, settings: &Value, report: Option<&ObjectReport>, used: (&str, &[String])) -> Self {
        let none = ObjectReport::default();
        let report = report.unwrap_or(&none);
        let mut fields = settings.as_object().cloned().unwrap_or_default();
        let errors: Vec<Value> = report
            .notes
            .iter()
            .filter(|note| !note.message.is_empty())
            .map(|note| note.message.clone().into())
            .collect();
        if !errors.is_empty() {
            fields.insert("error".into(), errors.into());
        }
        let status = report.status().name();
        fields.insert("status".into(), status.into());
        if !used.1.is_empty() {
            fields.insert(used.0.into(), used.1.into());
        }
        let mut extra = Map::new();
        extra.insert("name".into(), name.as_str().into());
        extra.insert("provider".into(), name.provider().into());
        let servers = report.servers.as_ref().map(|servers| {
            let servers = servers.status().into_iter();
            Value::Object(servers.map(|(url, up)| (url, if up { "UP" } else { "DOWN" }.into())).collect())
        });
        Self { name: name.clone(), fields, extra, server_status: servers, status }
    }

    /// As the raw data shows it.
    pub(crate) fn raw(mut self) -> Value {
        if let Some(servers) = self.server_status {
            self.fields.insert("serverStatus".into(), servers);
        }
        self.fields.into()
    }

    /// As lists and single answers show it.
    pub(crate) fn shown(mut self) -> Value {
        self.fields.append(&mut self.extra);
        self.raw()
    }

    fn text(&self, field: &str) -> String {
        match self.fields.get(field).or_else(|| self.extra.get(field)) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    fn matches(&self, query: &Query) -> bool {
        let found = || {
            let rule = self.text("rule").to_lowercase();
            self.name.as_str().to_lowercase().contains(&query.search) || rule.contains(&query.search)
        };
        let uses = |field: &str, name: &str| {
            let qualify = |local: &str| Name::qualify(local, self.name.provider()).to_string();
            match self.fields.get(field) {
                Some(Value::String(one)) => qualify(one) == name,
                Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(|one| qualify(one) == name),
                _ => false,
            }
        };
        (query.search.is_empty() || found())
            && (query.status.is_empty() || self.status == query.status)
            && (query.service_name.is_empty() || uses("service", &query.service_name))
            && (query.middleware_name.is_empty() || uses("middlewares", &query.middleware_name))
    }

    /// What a list is sorted by; the name settles ties.
    fn key(&self, query: &Query) -> (i64, String) {
        match query.sort_by.as_str() {
            "priority" => (self.fields.get("priority").and_then(Value::as_i64).unwrap_or(0), String::new()),
            "servers" => (self.servers(), String::new()),
            field @ ("provider" | "status" | "rule" | "service" | "entryPoints" | "type") => (0, self.text(field)),
            _ => (0, String::new()),
        }
    }

    fn servers(&self) -> i64 {
        let servers = self.fields.get("loadBalancer").and_then(|balancer| balancer.get("servers"));
        servers.and_then(Value::as_array).map_or(0, |servers| servers.len() as i64)
    }
}

/// A list, or one of its objects.
pub(crate) fn answer(kind: Kind, rest: &[&str], query: &Query) -> Response {
    match rest {
        [] => {
            let mut found: Vec<_> = kind.objects.into_iter().filter(|object| object.matches(query)).collect();
            found.sort_by_cached_key(|object| (object.key(query), object.name.clone()));
            if query.descending {
                found.reverse();
            }
            page::list(found.into_iter().map(Object::shown).collect(), query)
        }
        [name, ..] => {
            let found = kind.objects.into_iter().find(|object| object.name.as_str() == *name);
            answer::one(found.map(Object::shown), kind.word, name)
        }
    }
}
