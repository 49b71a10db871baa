//! Pages for people who develop: why an answer is not a server's, in the words of `explain`.
//!
//! Off unless `core.explainPages` is set, for they show the configuration to whoever asks. Only answers to browsers that ask
//! for a page are replaced; status and headers stay.

use std::fmt::Write as _;
use std::sync::Arc;

use trafficcop_config::settings::Settings;
use trafficcop_exchange::{Body, ConnectionInfo, Reason, Request, Response};
use trafficcop_snapshot::{Question, Snapshot, explain};

/// The question that a page will answer, taken while there is a request.
pub(crate) struct Page {
    settings: Arc<Settings>,
    url: String,
    question: Question,
}

impl Page {
    /// None: nobody wants one.
    pub(crate) fn of(
        settings: Option<&Arc<Settings>>,
        request: &Request,
        connection: &ConnectionInfo,
    ) -> Option<Box<Self>> {
        let settings = settings?;
        if !request.headers.get_str("Accept").is_some_and(|accept| accept.contains("text/html")) {
            return None;
        }
        let scheme = if connection.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}{}", request.host_str(), request.target.to_uri());
        let mut question = Question::of_url(&url).ok()?;
        request.method.as_str().clone_into(&mut question.method);
        question.client_ip = connection.peer.ip();
        question.entry_point = Some(connection.entry_point.to_string());
        question.sni = connection.tls.as_ref().and_then(|tls| tls.server_name.as_deref()).map(str::to_owned);
        let line = |(name, value): (&str, &[u8])| (name.to_owned(), String::from_utf8_lossy(value).into_owned());
        question.headers = request.headers.iter().map(line).collect();
        Some(Box::new(Self { settings: Arc::clone(settings), url, question }))
    }

    /// Puts the page into an answer of our own that is a failure.
    pub(crate) fn put(&self, response: &mut Response, reason: Reason, snapshot: &Snapshot) {
        let status = response.status;
        if !(status.is_client_error() || status.is_server_error()) {
            return;
        }
        let explanation = explain(snapshot, &self.settings, &self.question);
        let words = explanation.map_or_else(|error| error, |explanation| explanation.to_string());
        let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
        let mut page =
            format!("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n{STYLE}");
        let _memory_takes_all = write!(
            page,
            "<h1>{title}</h1>\n<p><code>{}</code> {}</p>\n<h2>{} {}</h2>\n<pre>{}</pre>\n\
             <p><small>TrafficCop shows this page because <code>core.explainPages</code> is on.</small></p></html>\n",
            reason.code(),
            escaped(reason.about()),
            escaped(&self.question.method),
            escaped(&self.url),
            escaped(&words),
        );
        for name in ["Content-Length", "Content-Encoding"] {
            response.headers.remove(name);
        }
        response.headers.insert("Content-Type", "text/html; charset=utf-8");
        response.headers.insert("Cache-Control", "no-store");
        response.headers.insert("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
        response.body = Body::from(page);
    }
}

const STYLE: &str = "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem;\
    color-scheme:light dark}pre{overflow:auto;padding:1rem;border:1px solid #8884;border-radius:6px}</style>\n";

/// A text within a page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_is_text_on_the_page() {
        assert_eq!(escaped("<script>\"&'"), "&lt;script&gt;&quot;&amp;'");
    }
}
