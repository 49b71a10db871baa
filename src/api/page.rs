//! Lists: what is searched for, in which order, and which part of it is shown.

use std::cmp::Ordering;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use trafficcop_exchange::StatusCode;

use crate::answer::{Answer, encode};
use crate::resource::Section;

/// The parameters of a request: the first value of each name counts.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `name=value&…`. As in Go, a pair with a semicolon or a broken escape is as good as not there; what is not UTF-8
    /// is read as well as it goes.
    pub(crate) fn read(query: &str) -> Self {
        let decode = |text: &str| {
            let decoded = percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            has_whole_escapes(text).then_some(decoded)
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .filter_map(|(name, value)| Some((decode(name)?, decode(value)?)))
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Every value of a parameter, in their order.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, String> {
        let text = self.get(name);
        if text.is_empty() {
            return Ok(default);
        }
        let value: i64 = text.parse().unwrap_or(0);
        usize::try_from(value)
            .ok()
            .filter(|value| *value > 0)
            .ok_or_else(|| format!("invalid request: {name}: {value}"))
    }
}

/// Every percent sign begins an escape.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
}

/// One object of a list, with what it is searched and sorted by. What does not apply is empty.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) provider: String,
    pub(crate) status: &'static str,
    pub(crate) rule: String,
    pub(crate) service: String,
    pub(crate) middlewares: Vec<String>,
    pub(crate) priority: i64,
    pub(crate) entry_points: usize,
    /// Of a service or middleware, lower-case.
    pub(crate) kind: String,
    pub(crate) servers: usize,
    /// Of a kind of router that has no middlewares: nobody can ask for one.
    pub(crate) has_no_middlewares: bool,
    pub(crate) shown: Value,
}

impl Row {
    fn is_wanted(&self, section: Section, query: &Query) -> bool {
        let status = query.get("status");
        let search = query.get("search").to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&search);
        let is_router = section == Section::Routers;
        (status.is_empty() || status.eq_ignore_ascii_case(self.status))
            && (search.is_empty() || found(&self.name) || (is_router && found(&self.rule)))
            && (!is_router || (self.leads_to(query.get("serviceName")) && self.uses(query.get("middlewareName"))))
    }

    fn leads_to(&self, service: &str) -> bool {
        let wanted = if self.service.contains('@') { service } else { service.split('@').next().unwrap_or("") };
        service.is_empty() || wanted == self.service
    }

    fn uses(&self, middleware: &str) -> bool {
        middleware.is_empty() || self.has_no_middlewares || self.middlewares.iter().any(|name| name == middleware)
    }

    fn compare(&self, other: &Self, section: Section, by: &str) -> Ordering {
        let first = match (section, by) {
            (_, "provider") => self.provider.cmp(&other.provider),
            (_, "status") => self.status.cmp(other.status),
            (Section::Routers, "priority") => self.priority.cmp(&other.priority),
            (Section::Routers, "rule") => self.rule.cmp(&other.rule),
            (Section::Routers, "service") => self.service.cmp(&other.service),
            (Section::Routers, "entryPoints") => self.entry_points.cmp(&other.entry_points),
            (Section::Services | Section::Middlewares, "type") => self.kind.cmp(&other.kind),
            (Section::Services, "servers") => self.servers.cmp(&other.servers),
            _ => Ordering::Equal,
        };
        first.then_with(|| self.name.cmp(&other.name))
    }
}

/// Rows that are wanted, in the order that is wanted.
pub(crate) fn list_rows(section: Section, mut rows: Vec<Row>, query: &Query) -> Answer {
    rows.retain(|row| row.is_wanted(section, query));
    rows.sort_by(|one, other| one.compare(other, section, query.get("sortBy")));
    if !matches!(query.get("direction"), "" | "asc") {
        rows.reverse();
    }
    list(rows.into_iter().map(|row| row.shown).collect(), query)
}

/// The part of a list that is asked for.
pub(crate) fn list(all: Vec<Value>, query: &Query) -> Answer {
    let numbers = query.number("per_page", 100).and_then(|per_page| Ok((per_page, query.number("page", 1)?)));
    let (per_page, page) = match numbers {
        Ok(numbers) => numbers,
        Err(problem) => return Answer::Message(StatusCode::BAD_REQUEST, problem),
    };
    let start = (page - 1).saturating_mul(per_page);
    if start != 0 && start >= all.len() {
        let problem = format!("invalid request: page: {page}, per_page: {per_page}");
        return Answer::Message(StatusCode::BAD_REQUEST, problem);
    }
    let total = all.len();
    let next = if page.saturating_mul(per_page) < total { page + 1 } else { 1 };
    let shown: Vec<_> = all.into_iter().skip(start).take(per_page).collect();
    Answer::Json { text: encode(&shown), next_page: Some(next) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: (u16, &str, Option<&str>)) {
        let rows = ["b", "a", "c"].map(|name| Row { name: name.to_owned(), shown: name.into(), ..Row::default() });
        let mut response = list_rows(Section::Routers, rows.into(), &Query::read(query)).into_response();
        let next = response.headers.get_str("X-Next-Page").map(str::to_owned);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(response.body.collect(u64::MAX)).unwrap();
        let body = String::from_utf8_lossy(&body).trim().to_owned();
        assert_eq!((response.status.as_u16(), body.as_str(), next.as_deref()), expected, "{query}");
    }

    #[test]
    fn pages() {
        check("", (200, r#"["a","b","c"]"#, Some("1")));
        check("per_page=2", (200, r#"["a","b"]"#, Some("2")));
        check("per_page=2&page=2", (200, r#"["c"]"#, Some("1")));
        check("per_page=2&page=3", (400, r#"{"message":"invalid request: page: 3, per_page: 2"}"#, None));
        check("page=x", (400, r#"{"message":"invalid request: page: 0"}"#, None));
        check("per_page=-3", (400, r#"{"message":"invalid request: per_page: -3"}"#, None));
        check("search=none&page=1", (200, "[]", Some("1")));
    }

    #[test]
    fn order_and_search() {
        check("direction=desc", (200, r#"["c","b","a"]"#, Some("1")));
        check("search=B", (200, r#"["b"]"#, Some("1")));
        check("search=%62", (200, r#"["b"]"#, Some("1")));
        check("search=%6&search=%zz&search=a;b", (200, r#"["a","b","c"]"#, Some("1")));
        check("sortBy=nothing", (200, r#"["a","b","c"]"#, Some("1")));
    }
}
