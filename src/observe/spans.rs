//! [`Tracer`]: which requests are traced, and where their spans go.
//!
//! What must hold: a request never waits for whoever takes the spans; when that cannot keep up, traces are lost and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use trafficcop_config::settings::Tracing as Settings;
use trafficcop_exchange::trace::{Format, Remote, Span, SpanId, TraceId, TraceSettings};
use trafficcop_exchange::{Exchange, Request, Response, Trace};

/// Traces that may wait to be sent.
const WAITING: usize = 4096;

/// The spans of a request that has ended.
pub struct Finished {
    pub trace: TraceId,
    /// The span of whoever sent the request to us.
    pub parent: Option<SpanId>,
    pub state: String,
    pub spans: Vec<Span>,
}

/// See the module.
pub struct Tracer {
    settings: Arc<TraceSettings>,
    /// Of the identity's last 63 bits; what lies below is sampled.
    below: u64,
    out: SyncSender<Finished>,
    lost: AtomicU64,
}

impl Tracer {
    /// `propagators`: the formats that identities are read and told in, as `OTEL_PROPAGATORS` lists them. Also gives what
    /// is to be sent on.
    pub fn new(settings: &Settings, propagators: &str) -> (Self, Receiver<Finished>) {
        let (out, finished) = sync_channel(WAITING);
        let lower =
            |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase().into()).collect::<Vec<Box<str>>>();
        let without_agent = |mut names: Vec<Box<str>>| {
            // It has an attribute of its own.
            names.retain(|name| &**name != "user-agent");
            names
        };
        let words = if propagators.is_empty() { "tracecontext,baggage" } else { propagators };
        let settings_of_spans = TraceSettings {
            formats: words.split(',').filter_map(Format::named).collect(),
            request_headers: without_agent(lower(&settings.captured_request_headers)),
            response_headers: lower(&settings.captured_response_headers),
            safe_parameters: settings.safe_query_params.iter().map(|name| name.as_str().into()).collect(),
        };
        let share = settings.sample_rate;
        let below = if share >= 1.0 { u64::MAX } else { (share.max(0.0) * (1_u64 << 63) as f64) as u64 };
        (Self { settings: Arc::new(settings_of_spans), below, out, lost: AtomicU64::new(0) }, finished)
    }

    /// Begins the spans of a request. Whoever sent it decides whether it is sampled, if it says anything of that.
    pub(crate) fn begin(&self, request: &Request, exchange: &Exchange) -> Trace {
        let remote: Option<Remote> = self.settings.formats.iter().find_map(|format| format.read(&request.headers));
        let told = remote.as_ref().map(|remote| remote.is_sampled);
        let mut trace = Trace::new(remote, true, &self.settings);
        trace.is_sampled = told.unwrap_or_else(|| self.is_chosen(trace.id));
        if trace.is_sampled {
            let connection = &exchange.connection;
            trace.serve(request, &connection.entry_point, connection.peer, connection.tls.is_some());
        }
        trace
    }

    fn is_chosen(&self, id: TraceId) -> bool {
        let mut last = [0; 8];
        last.copy_from_slice(&id.0[8..]);
        self.below == u64::MAX || u64::from_be_bytes(last) >> 1 < self.below
    }

    /// What is kept of the answer's head until the end.
    pub(crate) fn answered(&self, response: &Response) -> Head {
        let mut headers = trafficcop_exchange::Headers::new();
        for name in &self.settings.response_headers {
            for value in response.headers.get_all(name) {
                headers.push(name.as_bytes(), value);
            }
        }
        Head { headers }
    }

    /// Hands over the spans of a request that has ended with this status.
    pub(crate) fn end(&self, trace: &mut Trace, status: u16, head: Option<&Head>) {
        if !trace.is_sampled {
            return;
        }
        let (spans, ended) = (std::mem::take(&mut trace.spans), std::time::SystemTime::now());
        let mut finished =
            Finished { trace: trace.id, parent: trace.parent, state: std::mem::take(&mut trace.state), spans };
        if let Some(own) = finished.spans.first_mut() {
            let none = Head::default();
            let names = &self.settings.response_headers;
            own.answer(status, &head.unwrap_or(&none).headers, names);
        }
        for span in &mut finished.spans {
            span.ended.get_or_insert(ended);
        }
        if self.out.try_send(finished).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Traces that were lost because nobody took them in time.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// The headers of an answer that its span shows.
#[derive(Default)]
pub(crate) struct Head {
    headers: trafficcop_exchange::Headers,
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use bytes::Bytes;
    use trafficcop_exchange::{ConnectionInfo, Method, Target};

    use super::*;

    fn begin(tracer: &Tracer, parent: Option<&'static str>) -> Trace {
        let (peer, local) = (([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into());
        let exchange = Exchange::new(Rc::new(ConnectionInfo::new("web".into(), peer, local, None)));
        let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/")));
        if let Some(parent) = parent {
            request.headers.append("traceparent", parent);
        }
        tracer.begin(&request, &exchange)
    }

    #[test]
    fn the_share_is_kept_and_the_sender_decides_first() {
        let (tracer, _finished) = Tracer::new(&Settings { sample_rate: 0.1, ..Settings::default() }, "");
        let chosen = (0..10_000).filter(|_| begin(&tracer, None).is_sampled).count();
        assert!((800..1200).contains(&chosen), "{chosen}");
        let told = |flag| {
            if flag {
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            } else {
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
            }
        };
        assert!(begin(&tracer, Some(told(true))).is_sampled);
        assert!(!begin(&tracer, Some(told(false))).is_sampled);
    }

    #[test]
    fn nobody_waits_for_whoever_takes_spans() {
        let (tracer, finished) = Tracer::new(&Settings::default(), "b3");
        (0..WAITING + 3).for_each(|_| tracer.end(&mut begin(&tracer, None), 503, None));
        assert_eq!(tracer.lost(), 3);
        let first = finished.recv().unwrap();
        assert_eq!((first.spans.len(), first.spans[0].error.is_some()), (1, true));
    }
}
