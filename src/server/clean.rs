//! What every request goes through before its route is looked for: headers that look like others, the path, the query.

use std::borrow::Cow;

use bytes::Bytes;
use trafficcop_config::settings::entry_points::{AliasHeaders, AliasStrategy};
use trafficcop_exchange::{Flow, Method, Request, Response, StatusCode, reply};

use crate::entry::EntryPoint;
use crate::path::{self, BadPath};

/// Cleans the request, or says why it is answered at once.
pub(crate) fn clean(request: &mut Request, entry: &EntryPoint) -> Flow {
    if request.method == Method::CONNECT {
        // That is for forward proxies; what the client sends next would not be HTTP.
        let mut refused = reply::empty(StatusCode::NOT_IMPLEMENTED);
        refused.headers.append("Connection", "close");
        return Flow::Break(refused);
    }
    if request.target.path() == "*" {
        return Flow::Break(match request.method {
            Method::OPTIONS => reply::empty(StatusCode::OK),
            _ => reply::not_found(),
        });
    }
    aliases(request, entry.alias_headers)?;
    let cleaned = match path::clean(request.target.path(), entry.sanitize_path) {
        Ok(Cow::Borrowed(_)) => None,
        Ok(Cow::Owned(cleaned)) => Some(cleaned),
        Err(BadPath::Fragment) => return Flow::Break(reply::empty(StatusCode::BAD_REQUEST)),
        Err(BadPath::Escape) => return Flow::Break(malformed()),
    };
    if let Some(cleaned) = cleaned {
        request.target.set_path(cleaned);
    }
    semicolons(request, entry.encode_semicolons);
    Flow::Continue(())
}

/// What Go's server says of a request that it cannot read.
pub(crate) fn malformed() -> Response {
    let mut response = reply::empty(StatusCode::BAD_REQUEST);
    response.headers.append("Content-Type", "text/plain; charset=utf-8");
    response.headers.append("Connection", "close");
    response.body = Bytes::from_static(b"400 Bad Request").into();
    response
}

/// Servers behind us may take `X_Real_Ip` for `X-Real-Ip`.
fn aliases(request: &mut Request, aliases: AliasHeaders) -> Flow {
    let keep = aliases.strategy == AliasStrategy::Keep;
    if keep || !request.headers.iter().any(|(name, _)| aliases.concerns(name)) {
        return Flow::Continue(());
    }
    if aliases.strategy == AliasStrategy::Reject {
        return Flow::Break(reply::error(StatusCode::BAD_REQUEST, "Bad Request"));
    }
    request.headers.retain(|name, _| !aliases.concerns(name));
    Flow::Continue(())
}

/// Servers disagree about semicolons in queries; ours only ever see `&` or an escape.
fn semicolons(request: &mut Request, encode: bool) {
    let Some(query) = request.target.query() else { return };
    if query.contains(';') {
        let replaced = query.replace(';', if encode { "%3B" } else { "&" });
        request.target.set_query(Some(replaced.into()));
    }
}
