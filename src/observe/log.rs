//! The application's own log: what operators read. `common` for people, `json` for machines, as Traefik lays them out.
//!
//! The level can be changed while the process runs, through the [`Level`] that [`init`] returns.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::LogRecord;
pub use crate::rotate::Limits;
use crate::rotate::Rotating;

/// What the log is told; made from the `log` section.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC in any case; anything else is ERROR.
    pub level: String,
    pub json: bool,
    pub no_color: bool,
    /// Standard output when None.
    pub file: Option<PathBuf>,
    /// When the file is put aside.
    pub limits: Limits,
}

/// A handle to change the level.
#[derive(Clone)]
pub struct Level(reload::Handle<EnvFilter, tracing_subscriber::Registry>);

impl Level {
    /// Takes the same words as the option.
    pub fn set(&self, level: &str) {
        let _the_subscriber_is_gone = self.0.reload(filter(level));
    }
}

/// Starts logging for the whole process. A second call in one process fails and changes nothing.
pub fn init(options: &Options) -> io::Result<Level> {
    let (filter, handle) = reload::Layer::new(filter(&options.level));
    let json = options.json;
    let (writer, color): (Output, bool) = match &options.file {
        Some(path) => (Output::File(Mutex::new(Rotating::open(path, options.limits)?)), false),
        None => (Output::Stdout, !options.no_color && !json && io::IsTerminal::is_terminal(&io::stdout())),
    };
    let layer = tracing_subscriber::fmt::layer().event_format(Format { json, color }).with_writer(writer);
    tracing_subscriber::registry().with(filter).with(layer).try_init().map_err(io::Error::other)?;
    let level = Level(handle);
    let _first = LEVEL.set(level.clone());
    Ok(level)
}

/// The handle of the process's log.
static LEVEL: OnceLock<Level> = OnceLock::new();

/// Changes the level of the process's log; says whether there is one and the word is a level.
pub fn set_level(level: &str) -> bool {
    let known = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "PANIC"];
    let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(level));
    LEVEL.get().filter(|_| is_known).is_some_and(|handle| {
        handle.set(level);
        true
    })
}

/// Our own crates at the level asked for; the libraries below them one step quieter, since theirs are not our users' words.
fn filter(level: &str) -> EnvFilter {
    let (ours, others) = match level.to_ascii_uppercase().as_str() {
        "TRACE" => ("trace", "debug"),
        "DEBUG" => ("debug", "info"),
        "INFO" => ("info", "warn"),
        "WARN" | "WARNING" => ("warn", "error"),
        _ => ("error", "error"),
    };
    let floors = [
        "trafficcop",
        "trafficcop_api",
        "trafficcop_config",
        "trafficcop_h1",
        "trafficcop_merger",
        "trafficcop_middleware",
        "trafficcop_observe",
        "trafficcop_provider",
        "trafficcop_provider_docker",
        "trafficcop_provider_file",
        "trafficcop_provider_internal",
        "trafficcop_proxy",
        "trafficcop_server",
        "trafficcop_snapshot",
        "trafficcop_tls",
    ];
    floors.iter().fold(EnvFilter::new(others), |filter, floor| {
        filter.add_directive(format!("{floor}={ours}").parse().expect("a crate name and a level make a directive"))
    })
}

enum Output {
    Stdout,
    File(Mutex<Rotating>),
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Box<dyn io::Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        match self {
            Self::Stdout => Box::new(io::stdout().lock()),
            Self::File(file) => Box::new(file.make_writer()),
        }
    }
}

/// Where lines go beside the output.
static SENT: OnceLock<SyncSender<LogRecord>> = OnceLock::new();

/// Sends every line there as well, from now on. Only the first time counts.
pub fn send_to(out: SyncSender<LogRecord>) {
    let _already_sent = SENT.set(out);
}

fn record(level: tracing::Level, fields: &Fields) -> LogRecord {
    let (severity, severity_text) = match level {
        tracing::Level::ERROR => (17, "error"),
        tracing::Level::WARN => (13, "warn"),
        tracing::Level::INFO => (9, "info"),
        tracing::Level::DEBUG => (5, "debug"),
        tracing::Level::TRACE => (1, "trace"),
    };
    let time = SystemTime::now();
    let (body, attributes) = (fields.message.clone(), fields.others.clone());
    LogRecord { time, observed: time, severity, severity_text, body, attributes, trace: None }
}

struct Format {
    json: bool,
    color: bool,
}

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        if let Some(out) = SENT.get() {
            // Whoever cannot keep up loses lines; the log itself has them.
            let _full_or_gone = out.try_send(record(level, &fields));
        }
        if self.json { json(&mut out, level, fields) } else { common(&mut out, level, &fields, self.color) }
    }
}

/// `2026-11-21T06:30:00Z ERR Router is disabled. routerName=web@file`
fn common(out: &mut Writer<'_>, level: tracing::Level, fields: &Fields, color: bool) -> fmt::Result {
    let (word, paint) = match level {
        tracing::Level::ERROR => ("ERR", "31"),
        tracing::Level::WARN => ("WRN", "33"),
        tracing::Level::INFO => ("INF", "32"),
        tracing::Level::DEBUG => ("DBG", "36"),
        tracing::Level::TRACE => ("TRC", "35"),
    };
    let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    if color {
        write!(out, "\x1b[90m{time}\x1b[0m \x1b[{paint}m{word}\x1b[0m {}", printable(&fields.message))?;
    } else {
        write!(out, "{time} {word} {}", printable(&fields.message))?;
    }
    for (name, value) in &fields.others {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let quoted = text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
        if quoted { write!(out, " {name}={text:?}")? } else { write!(out, " {name}={text}")? }
    }
    out.write_char('\n')
}

fn json(out: &mut Writer<'_>, level: tracing::Level, fields: Fields) -> fmt::Result {
    let mut line = Map::new();
    line.insert("level".into(), level.to_string().to_ascii_lowercase().into());
    line.extend(fields.others);
    line.insert("time".into(), Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    line.insert("message".into(), fields.message.into());
    writeln!(out, "{}", Value::Object(line))
}

/// What a client sent must not move the cursor of whoever reads the log.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() && c != '\n' { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// The message and the other fields, in the names that users of Traefik's JSON log know.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            "message" => {
                self.message = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                return;
            }
            "router" => "routerName",
            "service" => "serviceName",
            "middleware" => "middlewareName",
            "provider" => "providerName",
            "entry_point" => "entryPointName",
            "servers_transport" => "serversTransport",
            other => other,
        };
        self.others.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json_form: bool, expected: &str) {
        let mut text = String::new();
        let mut fields = Fields { message: "Router is \x1b disabled.".into(), others: Map::new() };
        fields.others.insert("routerName".into(), "a b".into());
        let mut out = Writer::new(&mut text);
        if json_form {
            json(&mut out, tracing::Level::ERROR, fields).expect("writing to text");
        } else {
            common(&mut out, tracing::Level::ERROR, &fields, false).expect("writing to text");
        }
        let timeless = text
            .split_once('Z')
            .map(|(before, after)| format!("{}{after}", &before[..before.len() - 19]))
            .expect("a time");
        assert_eq!(timeless, expected);
    }

    #[test]
    fn a_line_for_people_keeps_control_characters_out() {
        check(false, " ERR Router is \\u{1b} disabled. routerName=\"a b\"\n");
    }

    #[test]
    fn a_line_for_machines() {
        check(
            true,
            "{\"level\":\"error\",\"routerName\":\"a b\",\"time\":\"\",\"message\":\"Router is \\u001b disabled.\"}\n",
        );
    }
}
