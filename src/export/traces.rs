//! Finished traces as an OTLP request.

use std::time::{SystemTime, UNIX_EPOCH};

use trafficcop_exchange::trace::{Attribute, Span, SpanKind};
use trafficcop_observe::Finished;

use crate::proto::Message;
use crate::resource::Resource;

/// The flags of a span say whether it is sampled and whether its parent is somebody else's.
const SAMPLED: u32 = 1;
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;
const FAILED: u64 = 2;

pub(crate) fn encode(resource: &Resource, batch: &[Finished]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |spans| {
        resource.write(spans, 1);
        spans.message(2, |scope| {
            scope.message(1, |name| name.text(1, "github.com/traefik/traefik"));
            for finished in batch {
                for one in &finished.spans {
                    scope.message(2, |out| span(out, finished, one));
                }
            }
        });
    });
    request.finish()
}

fn span(out: &mut Message, finished: &Finished, span: &Span) {
    out.bytes(1, &finished.trace.0);
    out.bytes(2, &span.id.0);
    out.text(3, &finished.state);
    if let Some(parent) = span.parent {
        out.bytes(4, &parent.0);
    }
    out.text(5, &span.name);
    let kind = match span.kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
    };
    out.number(6, kind);
    out.fixed64(7, nanos(span.started));
    out.fixed64(8, nanos(span.ended.unwrap_or(span.started)));
    for (name, value) in &span.attributes {
        out.attribute(9, name, |out| match value {
            Attribute::Text(text) => out.bytes(1, text.as_bytes()),
            Attribute::Number(number) => out.int(*number),
            Attribute::Float(number) => out.double(4, *number),
            Attribute::Texts(texts) => out.texts(texts.iter().map(|text| &**text)),
        });
    }
    if let Some(message) = span.error {
        out.message(15, |status| {
            status.text(2, message);
            status.number(3, FAILED);
        });
    }
    let is_remote = finished.parent.is_some() && span.parent == finished.parent;
    out.fixed32(16, SAMPLED | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 });
}

pub(crate) fn nanos(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
