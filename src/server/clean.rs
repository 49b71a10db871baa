//! What every request goes through before its route is looked for: headers with underscores, the path, the query.

use std::borrow::Cow;

use bytes::Bytes;
use trafficcop_exchange::{Method, Reason, Request, Response, StatusCode, reply};

use crate::entry::{EntryPoint, Underscores};
use crate::path::{self, BadPath};

/// Cleans the request, or says why it is answered at once.
pub(crate) fn clean(request: &mut Request, entry: &EntryPoint) -> Result<(), (Response, Reason)> {
    if request.method == Method::CONNECT {
        let refused = reply::empty(StatusCode::NOT_IMPLEMENTED);
        return Err((refused, Reason::BadRequest("CONNECT is for forward proxies")));
    }
    if request.target.path() == "*" {
        return Err(match request.method {
            Method::OPTIONS => (reply::empty(StatusCode::OK), Reason::Internal),
            _ => malformed("only OPTIONS may ask for *"),
        });
    }
    underscores(request, entry.underscores)?;
    let cleaned = match path::clean(request.target.path(), entry.sanitize_path) {
        Ok(Cow::Borrowed(_)) => None,
        Ok(Cow::Owned(cleaned)) => Some(cleaned),
        Err(BadPath::Fragment) => {
            return Err((reply::empty(StatusCode::BAD_REQUEST), Reason::BadRequest("the path holds a #")));
        }
        Err(BadPath::Escape) => return Err(malformed("the path has a broken escape")),
    };
    if let Some(cleaned) = cleaned {
        request.target.set_path(cleaned);
    }
    semicolons(request, entry.encode_semicolons);
    Ok(())
}

/// What Go's server says of a request that it cannot read.
pub(crate) fn malformed(why: &'static str) -> (Response, Reason) {
    let mut response = reply::empty(StatusCode::BAD_REQUEST);
    response.headers.append("Content-Type", "text/plain; charset=utf-8");
    response.headers.append("Connection", "close");
    response.body = Bytes::from_static(b"400 Bad Request").into();
    (response, Reason::BadRequest(why))
}

fn underscores(request: &mut Request, strategy: Underscores) -> Result<(), (Response, Reason)> {
    if strategy == Underscores::Keep || !request.headers.iter().any(|(name, _)| name.contains('_')) {
        return Ok(());
    }
    if strategy == Underscores::Reject {
        let refused = reply::error(StatusCode::BAD_REQUEST, "Bad Request");
        return Err((refused, Reason::BadRequest("a header name has an underscore")));
    }
    request.headers.retain(|name, _| !name.contains('_'));
    Ok(())
}

/// Servers disagree about semicolons in queries; ours only ever see `&` or an escape.
fn semicolons(request: &mut Request, encode: bool) {
    let Some(query) = request.target.query() else { return };
    if query.contains(';') {
        let replaced = query.replace(';', if encode { "%3B" } else { "&" });
        request.target.set_query(Some(replaced.into()));
    }
}
