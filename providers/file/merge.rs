//! Several files, one configuration: of two objects of the same name the one in the first file stays.

use std::path::Path;

use trafficcop_config::dynamic::{Configuration, Objects};

/// Adds what `more`, read from `file`, says to `whole`.
pub(crate) fn add(whole: &mut Configuration, more: Configuration, file: &Path) {
    if let Some(more) = more.http {
        let http = whole.http.get_or_insert_default();
        objects(&mut http.routers, more.routers, "HTTP router", file);
        objects(&mut http.services, more.services, "HTTP service", file);
        objects(&mut http.middlewares, more.middlewares, "HTTP middleware", file);
        objects(&mut http.servers_transports, more.servers_transports, "HTTP servers transport", file);
    }
    if let Some(more) = more.tcp {
        let tcp = whole.tcp.get_or_insert_default();
        objects(&mut tcp.routers, more.routers, "TCP router", file);
        objects(&mut tcp.services, more.services, "TCP service", file);
        objects(&mut tcp.middlewares, more.middlewares, "TCP middleware", file);
        objects(&mut tcp.servers_transports, more.servers_transports, "TCP servers transport", file);
    }
    if let Some(more) = more.udp {
        let udp = whole.udp.get_or_insert_default();
        objects(&mut udp.routers, more.routers, "UDP router", file);
        objects(&mut udp.services, more.services, "UDP service", file);
    }
    if let Some(more) = more.tls {
        let tls = whole.tls.get_or_insert_default();
        for certificate in more.certificates {
            if !tls.certificates.contains(&certificate) {
                tls.certificates.push(certificate);
            }
        }
        objects(&mut tls.options, more.options, "TLS options", file);
        objects(&mut tls.stores, more.stores, "TLS store", file);
    }
}

fn objects<T>(whole: &mut Objects<T>, more: Objects<T>, kind: &str, file: &Path) {
    for (name, object) in more {
        if let Some(first) = whole.get(&name) {
            tracing::warn!(
                %name, kind, file = %file.display(), first = %first.at,
                "The name is already configured in another file, which stays in force."
            );
        } else {
            whole.insert(name, object);
        }
    }
}
