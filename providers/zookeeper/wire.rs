//! ZooKeeper's notation: numbers with the highest byte first, texts and lists with their length before them.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use trafficcop_kv::StoreError;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    GetData = 4,
    Ping = 11,
    GetChildren = 12,
    Auth = 100,
    AddWatch = 106,
}

/// Numbers of requests that are none.
pub(crate) const EVENT: i32 = -1;
pub(crate) const PING: i32 = -2;
pub(crate) const AUTH: i32 = -4;
/// There is no such node.
pub(crate) const NO_NODE: i32 = -101;
/// The largest frame that is read: a node holds a megabyte at most, unless somebody raised that.
pub(crate) const MAX_FRAME: usize = 16 << 20;

/// Puts the length before what `write` writes.
pub(crate) fn frame(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_i32(0);
    write(out);
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

pub(crate) fn put_text(out: &mut BytesMut, text: &str) {
    out.put_u32(text.len() as u32);
    out.put_slice(text.as_bytes());
}

/// A request about one node. The flag is `watch`, or the mode of a watch.
pub(crate) fn request(out: &mut BytesMut, number: i32, operation: Operation, path: &str) {
    frame(out, |out| {
        out.put_i32(number);
        out.put_i32(operation as i32);
        put_text(out, path);
        match operation {
            // For the node and everything below, until the session ends.
            Operation::AddWatch => out.put_i32(1),
            _ => out.put_u8(0),
        }
    });
}

/// Takes a whole frame out of what was received, if there is one.
pub(crate) fn take_frame(received: &mut BytesMut) -> Result<Option<Bytes>, StoreError> {
    if received.len() < 4 {
        return Ok(None);
    }
    let length = (&received[..4]).get_u32() as usize;
    if length > MAX_FRAME {
        return Err(StoreError::Lost(format!("a frame of {length} bytes is no answer of ZooKeeper's")));
    }
    if received.len() < 4 + length {
        return Ok(None);
    }
    received.advance(4);
    Ok(Some(received.split_to(length).freeze()))
}

/// Reads, without ever trusting a length.
pub(crate) struct Reader(pub(crate) Bytes);

impl Reader {
    pub(crate) fn int(&mut self) -> Result<i32, StoreError> {
        self.0.try_get_i32().map_err(|_| cut())
    }

    pub(crate) fn long(&mut self) -> Result<i64, StoreError> {
        self.0.try_get_i64().map_err(|_| cut())
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, StoreError> {
        let Ok(length) = usize::try_from(self.int()?) else { return Ok(Bytes::new()) };
        if length > self.0.len() { Err(cut()) } else { Ok(self.0.split_to(length)) }
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| StoreError::lost("the name of a node is not UTF-8 text"))
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<String>, StoreError> {
        let count = self.int()?;
        (0..count).map(|_| self.text()).collect()
    }
}

fn cut() -> StoreError {
    StoreError::lost("an answer is shorter than it says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let mut out = BytesMut::new();
        request(&mut out, 7, Operation::GetData, "/a");
        assert_eq!(&out[..], b"\0\0\0\x0f\0\0\0\x07\0\0\0\x04\0\0\0\x02/a\0");
        let mut half = BytesMut::from(&out[..10]);
        assert_eq!(take_frame(&mut half), Ok(None));
        half.extend_from_slice(&out[10..]);
        let mut reader = Reader(take_frame(&mut half).expect("it is a frame").expect("it is whole"));
        assert_eq!((reader.int(), reader.int(), reader.text()), (Ok(7), Ok(4), Ok("/a".to_owned())));
        assert!(reader.long().is_err() && half.is_empty());
        assert!(take_frame(&mut BytesMut::from(&b"\xff\xff\xff\xff"[..])).is_err());
    }

    #[test]
    fn lengths_are_not_trusted() {
        assert!(Reader(Bytes::from_static(b"\x7f\xff\xff\xff")).texts().is_err());
        assert!(Reader(Bytes::from_static(b"\0\0\0\x09abc")).bytes().is_err());
        assert_eq!(Reader(Bytes::from_static(b"\xff\xff\xff\xff")).bytes(), Ok(Bytes::new()));
    }
}
