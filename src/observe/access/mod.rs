//! The access log: one line per exchange, as Traefik lays it out, so that what reads Traefik's logs reads ours.
//!
//! What must hold: traffic never waits for it. A line is made on the worker and handed to a thread that writes; when that
//! thread cannot keep up, lines are lost and counted.

mod fields;
mod filter;
mod format;
mod writer;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use trafficcop_config::settings::AccessLog;
use trafficcop_exchange::{Exchange, Headers, Method, Request, Response, Target, Version};

use crate::Outcome;
use fields::Fields;
use filter::Filter;
use format::{Format, Line};
pub use writer::Writer;

/// See the module.
pub struct Access {
    format: Format,
    filter: Filter,
    fields: Fields,
    writer: Writer,
    count: AtomicU64,
}

/// What is kept of a request until its line is written.
pub(crate) struct Kept {
    method: Method,
    target: Target,
    host: Bytes,
    version: Version,
    headers: Headers,
    answer: Headers,
    count: u64,
}

impl Access {
    /// Opens the log. Fails if its file cannot be opened or the thread not started.
    pub fn new(settings: &AccessLog) -> io::Result<Self> {
        let file = (!settings.file_path.is_empty()).then(|| settings.file_path.clone().into());
        Ok(Self {
            format: Format::parse(&settings.format),
            filter: Filter::new(&settings.filters),
            fields: Fields::new(&settings.fields),
            writer: Writer::start(file, usize::try_from(settings.buffering_size).unwrap_or(0))?,
            count: AtomicU64::new(0),
        })
    }

    /// For who asks to have the file opened anew or everything written.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn keep(&self, request: &Request) -> Kept {
        Kept {
            method: request.method.clone(),
            target: request.target.clone(),
            host: request.host.clone(),
            version: request.version,
            headers: request.headers.clone(),
            answer: Headers::new(),
            count: self.count.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }

    /// The answer's head, if a line can show it.
    pub(crate) fn answered(&self, kept: &mut Kept, response: &Response) {
        if self.format == Format::Json && self.fields.has_headers() {
            kept.answer = response.headers.clone();
        }
    }

    pub(crate) fn write(&self, kept: &Kept, exchange: &Exchange, outcome: &Outcome) {
        if !self.filter.keeps(outcome.status.as_u16(), exchange.retries, outcome.duration) {
            return;
        }
        let ended = Timestamp::now();
        let line = Line { kept, exchange, outcome, ended, fields: &self.fields };
        self.writer.write(self.format.line(&line));
    }
}
