//! An entry point's address: `[host]:port[/tcp|/udp]`.

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryAddress {
    pub host: String,
    pub port: u16,
    pub udp: bool,
}
