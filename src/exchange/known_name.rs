//! Names that are added to most messages, kept by number: adding one copies nothing, writing one checks nothing.

/// One of these names, in the case that Go writes it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownName(u8);

const NAMES: [&[u8]; 8] = [
    b"Accept-Encoding",
    b"Traceparent",
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"X-Forwarded-Port",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Server",
    b"X-Real-Ip",
];

impl KnownName {
    pub const ACCEPT_ENCODING: Self = Self(0);
    pub const TRACEPARENT: Self = Self(1);
    pub const X_FORWARDED_FOR: Self = Self(2);
    pub const X_FORWARDED_HOST: Self = Self(3);
    pub const X_FORWARDED_PORT: Self = Self(4);
    pub const X_FORWARDED_PROTO: Self = Self(5);
    pub const X_FORWARDED_SERVER: Self = Self(6);
    pub const X_REAL_IP: Self = Self(7);

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..NAMES.len() as u8).map(Self)
    }

    pub fn as_bytes(self) -> &'static [u8] {
        NAMES[usize::from(self.0)]
    }

    pub(crate) fn number(self) -> u32 {
        u32::from(self.0)
    }

    pub(crate) fn text_of(number: u32) -> &'static [u8] {
        NAMES[number as usize]
    }
}
