//! Writing protocol buffers: fields of messages, and nothing else of that format.

/// A message while it is written.
#[derive(Default)]
pub(crate) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

impl Message {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    /// Zero is what is assumed where nothing is written.
    pub(crate) fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.tag(field, VARINT);
            self.varint(value);
        }
    }

    pub(crate) fn fixed64(&mut self, field: u64, value: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn fixed32(&mut self, field: u64, value: u32) {
        self.tag(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn double(&mut self, field: u64, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub(crate) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.tag(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, field: u64, value: &str) {
        if !value.is_empty() {
            self.bytes(field, value.as_bytes());
        }
    }

    /// Several values of eight bytes in one field.
    pub(crate) fn packed64(&mut self, field: u64, values: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes);
    }

    pub(crate) fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        self.tag(field, BYTES);
        // Most messages are short: their length has its one byte before it is known.
        let start = self.0.len();
        self.0.push(0);
        write(self);
        let length = self.0.len() - start - 1;
        if length < 0x80 {
            self.0[start] = length as u8;
        } else {
            let mut prefix = Self::default();
            prefix.varint(length as u64);
            self.0.splice(start..=start, prefix.0);
        }
    }

    /// A `KeyValue` whose value is written by `write`.
    pub(crate) fn attribute(&mut self, field: u64, name: &str, write: impl FnOnce(&mut Self)) {
        self.message(field, |pair| {
            pair.text(1, name);
            pair.message(2, write);
        });
    }

    pub(crate) fn text_attribute(&mut self, field: u64, name: &str, value: &str) {
        self.attribute(field, name, |out| out.bytes(1, value.as_bytes()));
    }

    pub(crate) fn int_attribute(&mut self, field: u64, name: &str, value: i64) {
        self.attribute(field, name, |out| out.int(value));
    }

    /// The whole number of an `AnyValue`, zero included.
    pub(crate) fn int(&mut self, value: i64) {
        self.tag(3, VARINT);
        self.varint(value.cast_unsigned());
    }

    /// The texts of an `AnyValue`.
    pub(crate) fn texts<'a>(&mut self, values: impl Iterator<Item = &'a str>) {
        self.message(5, |list| {
            for value in values {
                list.message(1, |out| out.bytes(1, value.as_bytes()));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn fields_are_written_as_the_format_has_them() {
        let mut message = Message::default();
        message.number(1, 150);
        message.text(2, "testing");
        message.message(3, |inner| inner.number(1, 150));
        message.fixed32(4, 1);
        let expected = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x25\x01\0\0\0";
        assert_eq!(message.finish(), expected);
    }

    #[test]
    fn long_messages_have_their_length_before_them() {
        let long = "x".repeat(200);
        let mut message = Message::default();
        message.message(1, |inner| inner.message(2, |inner| inner.text(3, &long)));
        let expected = [b"\x0a\xce\x01\x12\xcb\x01\x1a\xc8\x01", long.as_bytes()].concat();
        assert_eq!(message.finish(), expected);
    }
}
