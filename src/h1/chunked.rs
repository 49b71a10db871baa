//! [`Chunked`]: the chunked coding, decoded piece by piece wherever the pieces are cut. Pure.
//!
//! Lines end in CR LF and nothing else; sizes are hexadecimal digits and nothing else but blanks behind them; extensions
//! are skipped; overhead is bounded in relation to data, so that tiny chunks cannot make us work for nothing.

use bytes::{Buf, Bytes};
use trafficcop_exchange::Headers;

/// The decoder of one body.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
    /// Of the chunk at hand.
    left: u64,
    digits: u8,
    /// Bytes of the line at hand.
    line: u16,
    /// Overhead beyond what honest senders have.
    excess: i64,
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    /// Blanks after the size.
    Blank,
    Extension,
    /// The LF after a size line.
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    Trailers,
    End,
}

/// What decoding came to.
#[derive(Debug)]
pub enum Step {
    /// All of the input was used; more is needed.
    More,
    Data(Bytes),
    /// The body is over; what is left of the input belongs to the next message.
    End(Option<Headers>),
}

/// Bytes of trailer lines.
const MAX_TRAILERS: usize = 16 * 1024;
const MAX_EXCESS: i64 = 16 * 1024;
/// Bytes of one size line.
const MAX_LINE: u16 = 4096;

impl Chunked {
    /// Decodes from the front of `input`. Data are slices of it, never copies.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Step, &'static str> {
        loop {
            if self.state == State::Data {
                if input.is_empty() {
                    return Ok(Step::More);
                }
                let data = input.split_to(usize::try_from(self.left).map_or(input.len(), |left| left.min(input.len())));
                self.left -= data.len() as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Step::Data(data));
            }
            if self.state == State::Trailers {
                return self.trailers(input);
            }
            if self.state == State::End {
                return Ok(Step::End(None));
            }
            if input.is_empty() {
                return Ok(Step::More);
            }
            let byte = input.get_u8();
            self.line += 1;
            self.excess += 1;
            if self.line > MAX_LINE || self.excess > MAX_EXCESS {
                return Err("too much overhead in chunks");
            }
            self.state = self.next(byte)?;
        }
    }

    pub fn is_over(&self) -> bool {
        self.state == State::End
    }

    fn next(&mut self, byte: u8) -> Result<State, &'static str> {
        Ok(match (self.state, byte) {
            (State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if self.left >> 60 != 0 {
                    return Err("the chunk size is too large");
                }
                if self.digits == 64 {
                    return Err("the chunk size is too long");
                }
                self.digits += 1;
                self.left = self.left << 4 | u64::from((byte as char).to_digit(16).unwrap_or(0));
                State::Size
            }
            (State::Size, _) if self.digits == 0 => return Err("a chunk without a size"),
            (State::Size | State::Blank | State::Extension, b'\r') => State::SizeEnd,
            (State::Size | State::Blank, b' ' | b'\t') => State::Blank,
            (State::Extension, b'\n') => return Err("a bare line feed in a chunk's line"),
            (State::Size, b';') | (State::Extension, _) => State::Extension,
            (State::SizeEnd, b'\n') => {
                self.digits = 0;
                self.line = 0;
                if self.left == 0 {
                    State::Trailers
                } else {
                    // 16 bytes per chunk and twice its data are no excess.
                    let honest = i64::try_from(self.left).unwrap_or(i64::MAX).saturating_mul(2).saturating_add(18);
                    self.excess = self.excess.saturating_sub(honest).max(0);
                    State::Data
                }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::DataCr | State::DataLf, _) => return Err("a chunk is longer than its size"),
            _ => return Err("a malformed chunk size"),
        })
    }

    fn trailers(&mut self, input: &mut Bytes) -> Result<Step, &'static str> {
        if self.trailers.is_empty() && input.starts_with(b"\r\n") {
            input.advance(2);
            self.state = State::End;
            return Ok(Step::End(None));
        }
        // Byte by byte: trailers are rare, and where they end decides where the next message begins.
        while !input.is_empty() {
            if self.trailers.len() >= MAX_TRAILERS {
                return Err("the trailers are too large");
            }
            self.trailers.push(input.get_u8());
            if self.trailers == b"\r\n" || self.trailers.ends_with(b"\r\n\r\n") {
                self.state = State::End;
                let lines = Bytes::from(std::mem::take(&mut self.trailers));
                return Ok(Step::End(read_trailers(&lines)?));
            }
        }
        Ok(Step::More)
    }
}

fn read_trailers(lines: &Bytes) -> Result<Option<Headers>, &'static str> {
    const FAULT: &str = "malformed trailers";
    let mut read = [httparse::EMPTY_HEADER; 64];
    let Ok(httparse::Status::Complete((_, read))) = httparse::parse_headers(lines, &mut read) else {
        return Err(FAULT);
    };
    if read.is_empty() {
        return Ok(None);
    }
    let mut headers = Headers::over_with_capacity(lines.clone(), read.len());
    for line in read.iter().filter(|line| !is_forbidden(line.name)) {
        let start = |part: &[u8]| if part.is_empty() { 0 } else { part.as_ptr().addr() - lines.as_ptr().addr() };
        let (name, value) = (start(line.name.as_bytes()), start(line.value));
        headers.push_read(name..name + line.name.len(), value..value + line.value.len());
    }
    Ok(Some(headers))
}

/// Fields that frame or route; as trailers they would be an attack.
fn is_forbidden(name: &str) -> bool {
    ["content-length", "transfer-encoding", "host", "trailer", "connection", "upgrade", "te", "keep-alive"]
        .iter()
        .any(|forbidden| name.eq_ignore_ascii_case(forbidden))
}

/// Appends the size line of a chunk of `len` bytes.
pub(crate) fn push_size(out: &mut Vec<u8>, len: usize) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digits = (usize::BITS - len.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(HEX[len >> (digit * 4) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Data, trailers if it ended, and what was left over.
    type Decoded = (Vec<u8>, Option<String>, Vec<u8>);

    fn decode(pieces: &[&[u8]]) -> Result<Decoded, &'static str> {
        let mut decoder = Chunked::default();
        let (mut data, mut end, mut left) = (Vec::new(), None, Vec::new());
        for piece in pieces {
            let mut input = Bytes::copy_from_slice(piece);
            while end.is_none() {
                match decoder.decode(&mut input)? {
                    Step::More => break,
                    Step::Data(piece) => data.extend_from_slice(&piece),
                    Step::End(trailers) => {
                        end = Some(trailers.map(|lines| format!("{lines:?}")).unwrap_or_default());
                    }
                }
            }
            left.extend_from_slice(&input);
        }
        Ok((data, end, left))
    }

    #[track_caller]
    fn check(input: &str, expected: Result<&str, &str>) {
        let whole = decode(&[input.as_bytes()]);
        let data = whole.clone().map(|(data, end, _)| {
            assert!(end.is_some(), "{input:?} did not end");
            String::from_utf8(data).unwrap()
        });
        assert_eq!(data.as_deref().map_err(|fault| *fault), expected, "{input:?}");
        for cut in 0..input.len() {
            let (front, back) = input.as_bytes().split_at(cut);
            assert_eq!(decode(&[front, back]), whole, "{input:?} cut at {cut}");
        }
    }

    #[test]
    fn accepted() {
        check("0\r\n\r\n", Ok(""));
        check("3\r\nabc\r\n0\r\n\r\n", Ok("abc"));
        check("003\r\nabc\r\n2;a=b;c\r\nde\r\n000\r\n\r\n", Ok("abcde"));
        check("3 \t\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n", Ok("abc0123456789"));
    }

    #[test]
    fn refused() {
        check("\r\nabc", Err("a chunk without a size"));
        check(" 3\r\nabc\r\n", Err("a chunk without a size"));
        check("+3\r\nabc\r\n", Err("a chunk without a size"));
        check("0x3\r\nabc\r\n", Err("a malformed chunk size"));
        check("3\nabc\n0\n\n", Err("a malformed chunk size"));
        check("3\r\r\nabc\r\n", Err("a malformed chunk size"));
        check("3\t;a\r\nabc\r\n", Err("a malformed chunk size"));
        check("3;a\nabc\r\n0\r\n\r\n", Err("a bare line feed in a chunk's line"));
        check("3\r\nabcd\r\n0\r\n\r\n", Err("a chunk is longer than its size"));
        check("3\r\nabc0\r\n\r\n", Err("a chunk is longer than its size"));
        check("3\r\nabc\n0\r\n\r\n", Err("a chunk is longer than its size"));
        check("10000000000000000\r\n", Err("the chunk size is too large"));
        check("0\r\nX T: 1\r\n\r\n", Err("malformed trailers"));
        let long = format!("3;{}\r\nabc\r\n0\r\n\r\n", "a".repeat(5000));
        assert_eq!(decode(&[long.as_bytes()]), Err("too much overhead in chunks"));
        let (front, back) = long.as_bytes().split_at(2500);
        assert_eq!(decode(&[front, back]), Err("too much overhead in chunks"));
        let tiny = "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n".repeat(2000);
        assert_eq!(decode(&[tiny.as_bytes()]), Err("too much overhead in chunks"));
        let lines = format!("0\r\n{}\r\n", "X-T: 1\r\n".repeat(3000));
        assert_eq!(decode(&[lines.as_bytes()]), Err("the trailers are too large"));
    }

    #[test]
    fn single_byte_chunks_are_honest() {
        let many = format!("{}0\r\n\r\n", "1\r\na\r\n".repeat(100_000));
        assert_eq!(decode(&[many.as_bytes()]).unwrap().0.len(), 100_000);
    }

    #[test]
    fn trailers_come_without_framing_fields() {
        let (_, end, left) = decode(&[b"0\r\nX-A: 1\r\nContent-Length: 9\r\nX-B:\r\n\r\nGET /"]).unwrap();
        assert_eq!(end.unwrap(), r#"{"X-A": "1", "X-B": ""}"#);
        assert_eq!(left, b"GET /");
    }

    #[test]
    fn sizes_are_written_as_hexadecimal() {
        for len in [0, 1, 15, 16, 255, 256, 65_536, usize::MAX] {
            let mut out = Vec::new();
            push_size(&mut out, len);
            assert_eq!(out, format!("{len:x}\r\n").into_bytes());
        }
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let mut whole = Vec::new();
            for chunk in &chunks {
                push_size(&mut whole, chunk.len());
                whole.extend_from_slice(chunk);
                whole.extend_from_slice(b"\r\n");
            }
            whole.extend_from_slice(b"0\r\n\r\nrest");
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len())).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
            let (data, end, left) = decode(&pieces).unwrap();
            prop_assert_eq!(data, chunks.concat());
            prop_assert_eq!(end.as_deref(), Some(""));
            prop_assert_eq!(left, b"rest");
        }

        #[test]
        fn never_panics(input in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&[&input]);
        }
    }
}
