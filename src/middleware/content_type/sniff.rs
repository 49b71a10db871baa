//! The type of a document from its first bytes: the table of the WHATWG's MIME Sniffing standard, as far as Go's
//! `http.DetectContentType` follows it.

/// Only so many bytes are looked at.
const LOOKED_AT: usize = 512;

/// What an HTML document may begin with, white space aside; a space or `>` must follow.
const HTML: [&str; 17] = [
    "<!DOCTYPE HTML",
    "<HTML",
    "<HEAD",
    "<SCRIPT",
    "<IFRAME",
    "<H1",
    "<DIV",
    "<FONT",
    "<TABLE",
    "<A",
    "<STYLE",
    "<TITLE",
    "<B",
    "<BODY",
    "<BR",
    "<P",
    "<!--",
];

/// Exact beginnings.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xFE\xFF", "text/plain; charset=utf-16be"),
    (b"\xFF\xFE", "text/plain; charset=utf-16le"),
    (b"\xEF\xBB\xBF", "text/plain; charset=utf-8"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\x0D\x0A\x1A\x0A", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"ID3", "audio/mpeg"),
    (b"\x1A\x45\xDF\xA3", "video/webm"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1F\x8B\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1A\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1A\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00\x61\x73\x6D", "application/wasm"),
];

/// Container formats: the kind stands behind the first eight bytes.
const CONTAINERS: &[(&[u8], &[u8], &str)] = &[
    (b"RIFF", b"WEBPVP", "image/webp"),
    (b"FORM", b"AIFF", "audio/aiff"),
    (b"RIFF", b"AVI ", "video/avi"),
    (b"RIFF", b"WAVE", "audio/wave"),
];

/// Always an answer: `application/octet-stream` when nothing else fits.
pub(super) fn detect(bytes: &[u8]) -> &'static str {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = bytes.trim_ascii_start();
    if HTML.iter().any(|tag| is_tag(text, tag)) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return kind;
    }
    let behind = bytes.get(8..).unwrap_or_default();
    if let Some((_, _, kind)) =
        CONTAINERS.iter().find(|(outer, inner, _)| bytes.starts_with(outer) && behind.starts_with(inner))
    {
        return kind;
    }
    if bytes.get(4..8) == Some(b"ftyp") && behind.starts_with(b"mp4") {
        return "video/mp4";
    }
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    if text.iter().any(binary) { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

fn is_tag(text: &[u8], tag: &str) -> bool {
    let Some(start) = text.get(..tag.len()) else { return false };
    let ended = tag == "<!--" || matches!(text.get(tag.len()), Some(b' ' | b'>'));
    start.eq_ignore_ascii_case(tag.as_bytes()) && ended
}

#[cfg(test)]
mod tests {
    use super::detect;

    #[test]
    fn first_bytes_tell() {
        for (bytes, expected) in [
            (&b"  <html><body>"[..], "text/html; charset=utf-8"),
            (b"<htmlx>", "text/plain; charset=utf-8"),
            (b"<!-- x", "text/html; charset=utf-8"),
            (b"words", "text/plain; charset=utf-8"),
            (b"", "text/plain; charset=utf-8"),
            (b"\x00\x01\x02\x03\x04", "application/octet-stream"),
            (b"\x89PNG\x0D\x0A\x1A\x0A...", "image/png"),
            (b"RIFF....WEBPVP8 ", "image/webp"),
            (b"<?xml version", "text/xml; charset=utf-8"),
            (b"{\"a\": 1}", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(detect(bytes), expected, "{bytes:?}");
        }
    }
}
