//! Paging, searching and sorting of lists.

use http::StatusCode;
use serde_json::Value;
use trafficcop_exchange::Response;

use crate::answer;

/// The query of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) search: String,
    pub(crate) status: String,
    pub(crate) service_name: String,
    pub(crate) middleware_name: String,
    pub(crate) sort_by: String,
    pub(crate) descending: bool,
    page: String,
    per_page: String,
}

impl Query {
    /// Of a key given twice the first value counts, as in Go.
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').rev() {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned();
            match key {
                "search" => query.search = value.to_lowercase(),
                "status" => query.status = value.to_lowercase(),
                "serviceName" => query.service_name = value,
                "middlewareName" => query.middleware_name = value,
                "sortBy" => query.sort_by = value,
                "direction" => query.descending = value == "desc",
                "page" => query.page = value,
                "per_page" => query.per_page = value,
                _ => {}
            }
        }
        query
    }
}

/// One page of a list that is already filtered and sorted.
pub(crate) fn list(mut items: Vec<Value>, query: &Query) -> Response {
    let number =
        |text: &str, default: usize| if text.is_empty() { Some(default) } else { text.parse().ok().filter(|n| *n > 0) };
    let (Some(page), Some(per_page)) = (number(&query.page, 1), number(&query.per_page, 100)) else {
        let message = format!("invalid request: page: {}, per_page: {}", query.page, query.per_page);
        return answer::error(StatusCode::BAD_REQUEST, &message);
    };
    let start = (page - 1).saturating_mul(per_page);
    if start != 0 && start >= items.len() {
        let message = format!("invalid request: page: {page}, per_page: {per_page}");
        return answer::error(StatusCode::BAD_REQUEST, &message);
    }
    let end = start.saturating_add(per_page).min(items.len());
    let next = if end >= items.len() { 1 } else { page + 1 };
    let shown: Vec<Value> = items.drain(start..end).collect();
    let mut response = answer::json(&Value::Array(shown));
    response.headers.append("X-Next-Page", next.to_string());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(count: usize, query: &str, expected: (u16, Option<&str>)) {
        let response = list(vec![Value::Null; count], &Query::parse(query));
        assert_eq!((response.status.as_u16(), response.headers.get_str("X-Next-Page")), expected);
    }

    #[test]
    fn pages() {
        check(0, "", (200, Some("1")));
        check(5, "per_page=2", (200, Some("2")));
        check(5, "per_page=2&page=3", (200, Some("1")));
        check(5, "per_page=2&page=4", (400, None));
        check(4, "per_page=2&page=3", (400, None));
        check(4, "page=x", (400, None));
        check(4, "page=0", (400, None));
    }

    #[test]
    fn words_are_decoded() {
        let query = Query::parse("search=A%20b&status=Enabled&direction=desc&search=second");
        assert_eq!((query.search.as_str(), query.status.as_str(), query.descending), ("a b", "enabled", true));
    }
}
