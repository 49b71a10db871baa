//! The access log: one line per exchange, as Traefik lays it out, so that what reads Traefik's logs reads ours.
//!
//! What must hold: traffic never waits for it. A line is made on the worker and handed to a thread that writes; when that
//! thread cannot keep up, lines are lost and counted.

mod clock;
mod fields;
mod filter;
mod format;
mod number;
mod plain;
mod stretch;
mod writer;

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use trafficcop_config::settings::AccessLog;
use trafficcop_exchange::{Exchange, Headers, Method, Request, Response, Target, Version};

use crate::{LogRecord, Outcome};
use fields::Fields;
use filter::Filter;
use format::{Format, Line};
use writer::Writer;

/// See the module.
pub struct Access {
    format: Format,
    filter: Filter,
    fields: Fields,
    /// None: lines are only sent.
    writer: Option<Writer>,
    sent: Option<Sent>,
    count: AtomicU64,
}

/// Where lines go beside the file, and how many were not taken.
struct Sent {
    out: SyncSender<LogRecord>,
    lost: AtomicU64,
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
    /// Opens the log. Fails if its file cannot be opened or the thread not started. `sent`: where lines go beside the file,
    /// or instead of it.
    pub fn new(settings: &AccessLog, sent: Option<SyncSender<LogRecord>>) -> io::Result<Self> {
        let file = (!settings.file_path.is_empty()).then(|| settings.file_path.clone().into());
        Ok(Self {
            format: Format::parse(&settings.format),
            filter: Filter::new(&settings.filters),
            fields: Fields::new(&settings.fields),
            writer: if sent.is_none() || settings.dual_output {
                Some(Writer::start(file, usize::try_from(settings.buffering_size).unwrap_or(0))?)
            } else {
                None
            },
            sent: sent.map(|out| Sent { out, lost: AtomicU64::new(0) }),
            count: AtomicU64::new(0),
        })
    }

    /// Has the file opened anew, after somebody moved it away. Never waits.
    pub fn reopen(&self) {
        if let Some(writer) = &self.writer {
            writer.reopen();
        }
    }

    /// Waits until all lines are written, at most `patience`. Not for threads that carry traffic.
    pub fn flush(&self, patience: std::time::Duration) {
        if let Some(writer) = &self.writer {
            writer.flush(patience);
        }
    }

    /// Lines that were neither written nor handed over since the start.
    pub fn lost(&self) -> u64 {
        let sent = self.sent.as_ref().map_or(0, |sent| sent.lost.load(Ordering::Relaxed));
        sent + self.writer.as_ref().map_or(0, Writer::lost)
    }

    pub(crate) fn keep(&self, request: &Request) -> Kept {
        Kept {
            method: request.method.clone(),
            target: request.target.clone(),
            host: request.host.clone(),
            version: request.version,
            headers: if self.fields.has_headers() { request.headers.clone() } else { forwarded(&request.headers) },
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
        let ended = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = Line { kept, exchange, outcome, ended, fields: &self.fields };
        LINE.with_borrow_mut(|text| {
            text.clear();
            self.format.line(&line, text);
            if let Some(sent) = &self.sent
                && sent.out.try_send(self.format.record(&line, text)).is_err()
            {
                sent.lost.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(writer) = &self.writer {
                writer.write(text);
            }
        });
    }
}

thread_local! {
    /// The room in which this thread makes its lines.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The one header that says who the client is.
fn forwarded(headers: &Headers) -> Headers {
    let mut kept = Headers::new();
    if let Some(value) = headers.get("X-Forwarded-For") {
        kept.push(b"X-Forwarded-For", value);
    }
    kept
}
