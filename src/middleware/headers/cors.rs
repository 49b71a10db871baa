//! Cross-origin resource sharing: preflights are answered here, other answers get their headers.

use bytes::Bytes;
use regex::Regex;
use trafficcop_exchange::{
    Around, Exchange, Headers as Lines, LocalBoxFuture, Method, Next, Reason, Request, Response, StatusCode, reply,
};

use super::Headers;
use crate::BuildError;

pub(super) struct Cors {
    credentials: bool,
    headers: Option<Bytes>,
    methods: Option<Bytes>,
    expose: Option<Bytes>,
    max_age: Option<Bytes>,
    origins: Vec<String>,
    expressions: Vec<Regex>,
    vary: bool,
}

impl Cors {
    pub(super) fn of(settings: &Headers) -> Result<Option<Self>, BuildError> {
        let list = |items: &Vec<String>| (!items.is_empty()).then(|| Bytes::from(items.join(",")));
        let expressions = settings.access_control_allow_origin_list_regex.iter();
        let cors = Self {
            credentials: settings.access_control_allow_credentials,
            headers: list(&settings.access_control_allow_headers),
            methods: list(&settings.access_control_allow_methods),
            expose: list(&settings.access_control_expose_headers),
            max_age: settings.access_control_max_age.map(|age| Bytes::from(age.to_string())),
            origins: settings.access_control_allow_origin_list.clone(),
            expressions: expressions
                .map(|text| {
                    Regex::new(text)
                        .map_err(|error| BuildError::invalid(format!("error occurred during origin parsing: {error}")))
                })
                .collect::<Result<_, _>>()?,
            vary: settings.add_vary_header,
        };
        let any = cors.credentials
            || cors.headers.is_some()
            || cors.methods.is_some()
            || cors.expose.is_some()
            || cors.max_age.is_some()
            || !cors.origins.is_empty()
            || !cors.expressions.is_empty()
            || cors.vary;
        Ok(any.then_some(cors))
    }

    /// What `Access-Control-Allow-Origin` says to this origin.
    fn allowed(&self, origin: &Bytes) -> Option<Bytes> {
        let text = std::str::from_utf8(origin).ok()?;
        for item in &self.origins {
            if item == "*" {
                return Some(if self.credentials { origin.clone() } else { Bytes::from_static(b"*") });
            }
            if item == text {
                return Some(origin.clone());
            }
        }
        self.expressions.iter().any(|expression| expression.is_match(text)).then(|| origin.clone())
    }

    /// With credentials `*` is not taken by browsers: then what was asked for stands in its place.
    fn said(&self, list: Option<&Bytes>, asked: Option<Bytes>) -> Option<Bytes> {
        let list = list?;
        let is_any = self.credentials && list.split(|byte| *byte == b',').any(|item| item == b"*");
        if is_any { asked.filter(|asked| !asked.is_empty()) } else { Some(list.clone()) }
    }

    fn preflight(&self, origin: &Bytes, asked: &Lines) -> Response {
        let mut response = reply::empty(StatusCode::OK);
        let lines = &mut response.headers;
        self.common(lines, Some(origin));
        for (name, value) in [
            (
                "Access-Control-Allow-Headers",
                self.said(self.headers.as_ref(), asked.get_bytes("Access-Control-Request-Headers")),
            ),
            (
                "Access-Control-Allow-Methods",
                self.said(self.methods.as_ref(), asked.get_bytes("Access-Control-Request-Method")),
            ),
            ("Access-Control-Max-Age", self.max_age.clone()),
        ] {
            if let Some(value) = value {
                lines.insert(name, value);
            }
        }
        lines.insert("Content-Length", "0");
        response
    }

    fn common(&self, lines: &mut Lines, origin: Option<&Bytes>) {
        let none = Bytes::new();
        if let Some(allowed) = self.allowed(origin.unwrap_or(&none)) {
            lines.insert("Access-Control-Allow-Origin", allowed);
        }
        if self.credentials {
            lines.insert("Access-Control-Allow-Credentials", "true");
        }
        if let Some(expose) = &self.expose {
            lines.insert("Access-Control-Expose-Headers", expose.clone());
        }
    }

    fn decorate(&self, lines: &mut Lines, origin: Option<&Bytes>) {
        self.common(lines, origin);
        if self.vary {
            let vary = match lines.get_str("Vary") {
                Some("Origin") => return,
                Some(vary) if !vary.is_empty() => format!("{vary},Origin"),
                _ => "Origin".to_owned(),
            };
            lines.insert("Vary", vary);
        }
    }
}

impl Around for Cors {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let origin = req.headers.get_bytes("Origin").filter(|origin| !origin.is_empty());
        let asked = req.headers.get("Access-Control-Request-Method").is_some_and(|method| !method.is_empty());
        if let (Some(origin), true, true) = (&origin, asked, req.method == Method::OPTIONS) {
            cx.reason = Some(Reason::Preflight);
            return Box::pin(std::future::ready(self.preflight(origin, &req.headers)));
        }
        Box::pin(async move {
            let mut response = next.run(req, cx).await;
            if !super::is_handed_over(&response) {
                self.decorate(&mut response.headers, origin.as_ref());
            }
            response
        })
    }
}
