//! What every request goes through before its route is looked for: headers that look like others, the path, the query.

use std::borrow::Cow;

use bytes::Bytes;
use trafficcop_config::settings::entry_points::{AliasHeaders, AliasStrategy};
use trafficcop_exchange::{Method, Reason, Request, Response, StatusCode, reply};

use crate::entry::EntryPoint;
use crate::path::{self, BadPath};

/// An answer that is given before a route is looked for, and why.
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    pub(crate) response: Response,
}

fn refused(reason: Reason, response: Response) -> Result<(), Box<Refused>> {
    Err(Box::new(Refused { reason, response }))
}

/// Cleans the request, or says why it is answered at once.
pub(crate) fn clean(request: &mut Request, entry: &EntryPoint) -> Result<(), Box<Refused>> {
    if request.method == Method::CONNECT {
        // That is for forward proxies; what the client sends next would not be HTTP.
        let mut response = reply::empty(StatusCode::NOT_IMPLEMENTED);
        response.headers.append("Connection", "close");
        return refused(Reason::Connect, response);
    }
    if request.target.path_bytes() == b"*" {
        return match request.method {
            Method::OPTIONS => refused(Reason::Internal, reply::empty(StatusCode::OK)),
            _ => refused(Reason::NoRoute, reply::not_found()),
        };
    }
    aliases(request, entry.alias_headers)?;
    let cleaned = match path::clean(request.target.path(), entry.sanitize_path) {
        Ok(Cow::Borrowed(_)) => None,
        Ok(Cow::Owned(cleaned)) => Some(cleaned),
        Err(BadPath::Fragment) => return refused(Reason::BadPath, reply::empty(StatusCode::BAD_REQUEST)),
        Err(BadPath::Escape) => return Err(Box::new(malformed(Reason::BadPath))),
    };
    if let Some(cleaned) = cleaned {
        request.target.set_path(cleaned);
    }
    semicolons(request, entry.encode_semicolons);
    Ok(())
}

/// What Go's server says of a request that it cannot read.
pub(crate) fn malformed(reason: Reason) -> Refused {
    let mut response = reply::empty(StatusCode::BAD_REQUEST);
    response.headers.append("Content-Type", "text/plain; charset=utf-8");
    response.headers.append("Connection", "close");
    response.body = Bytes::from_static(b"400 Bad Request").into();
    Refused { reason, response }
}

/// Servers behind us may take `X_Real_Ip` for `X-Real-Ip`.
fn aliases(request: &mut Request, aliases: AliasHeaders) -> Result<(), Box<Refused>> {
    let keep = aliases.strategy == AliasStrategy::Keep;
    if keep || !request.headers.iter().any(|(name, _)| aliases.concerns(name)) {
        return Ok(());
    }
    if aliases.strategy == AliasStrategy::Reject {
        return refused(Reason::AliasHeader, reply::error(StatusCode::BAD_REQUEST, "Bad Request"));
    }
    request.headers.retain(|name, _| !aliases.concerns(name));
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
