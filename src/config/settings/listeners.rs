//! Addresses of entry points: each must be one, and no two may listen in the same place.

use super::Settings;
use super::validate::{Examiner, bad};
use crate::{EntryAddress, Problem};

/// Where somebody listens: an entry point's address, or the UDP side of one with HTTP/3.
struct Listener<'a> {
    name: &'a str,
    address: EntryAddress,
    reuse_port: bool,
}

pub(super) fn validate(settings: &Settings, examiner: &mut Examiner<'_>) {
    let mut listeners: Vec<Listener<'_>> = Vec::new();
    for (name, entry_point) in &settings.entry_points {
        let path = format!("entryPoints.{name}.address");
        if entry_point.address.is_empty() {
            examiner.error(format!("entryPoints.{name}"), Problem::Missing { field: "address".into() });
            continue;
        }
        let address = match entry_point.listen() {
            Ok(address) => address,
            Err(error) => {
                let expected = format!("an address such as :80, 127.0.0.1:8080 or :53/udp: {error}");
                examiner.error(path, bad(&entry_point.address, &expected));
                continue;
            }
        };
        let http3 = entry_point.http3.is_some() && !address.udp;
        let quic = http3.then(|| EntryAddress { udp: true, ..address.clone() });
        for address in std::iter::once(address).chain(quic) {
            let listener = Listener { name, address, reuse_port: entry_point.reuse_port };
            if let Some(other) = listeners.iter().find(|other| clash(other, &listener)) {
                let other = format!("already taken by the entry point {}", other.name);
                examiner.error(path.clone(), Problem::Other { message: format!("{} is {other}", listener.address) });
            }
            listeners.push(listener);
        }
    }
}

/// The kernel refuses the second of two sockets on one port of one address, and an address for all clashes with each.
/// Port 0 asks for any free port.
fn clash(one: &Listener<'_>, other: &Listener<'_>) -> bool {
    let (a, b) = (&one.address, &other.address);
    let everywhere = |host: &str| matches!(host, "" | "0.0.0.0" | "::");
    let host =
        |host: &str| if host.eq_ignore_ascii_case("localhost") { "127.0.0.1".to_owned() } else { host.to_owned() };
    let same_host = everywhere(&a.host) || everywhere(&b.host) || host(&a.host) == host(&b.host);
    a.port != 0 && a.port == b.port && a.udp == b.udp && same_host && !(one.reuse_port && other.reuse_port)
}
