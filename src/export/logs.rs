//! Lines of a log as an OTLP request.

use serde_json::Value;
use trafficcop_observe::LogRecord;

use crate::proto::Message;
use crate::resource::Resource;
use crate::traces::nanos;

pub(crate) fn encode(resource: &Resource, batch: &[LogRecord]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |logs| {
        resource.write(logs, 1);
        logs.message(2, |scope| {
            scope.message(1, |name| name.text(1, "traefik"));
            for record in batch {
                scope.message(2, |out| line(out, record));
            }
        });
    });
    request.finish()
}

fn line(out: &mut Message, record: &LogRecord) {
    out.fixed64(1, nanos(record.time));
    out.number(2, u64::from(record.severity));
    out.text(3, record.severity_text);
    out.message(5, |body| body.bytes(1, record.body.as_bytes()));
    for (name, value) in &record.attributes {
        out.attribute(6, name, |out| match value {
            Value::String(text) => out.bytes(1, text.as_bytes()),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => out.int(whole),
                None => out.double(4, number.as_f64().unwrap_or_default()),
            },
            Value::Bool(value) => out.number(2, u64::from(*value)),
            other => out.bytes(1, other.to_string().as_bytes()),
        });
    }
    if let Some((trace, span)) = &record.trace {
        out.fixed32(8, 1);
        out.bytes(9, &trace.0);
        out.bytes(10, &span.0);
    }
    out.fixed64(11, nanos(record.observed));
}
