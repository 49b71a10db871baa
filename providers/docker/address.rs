//! Where a container's server is reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_provider::workload::{Address, NoAddress};

use crate::container::{Attachment, Container, Port};
use crate::selection::Wishes;

/// How many containers may share each other's network in a row.
const MAX_CHAIN: usize = 8;

/// What addresses depend on beside the container itself.
pub(crate) struct Net<'a> {
    /// The network of the settings; empty: any.
    pub(crate) network: &'a str,
    pub(crate) use_bind_port_ip: bool,
    /// How containers in the host's network are reached.
    pub(crate) host: &'a str,
    /// Containers whose network others share.
    pub(crate) others: &'a BTreeMap<Arc<str>, Arc<Container>>,
}

impl Net<'_> {
    /// The address of the server whose port label is `stated`, or of the one at the lowest exposed port.
    pub(crate) fn address(
        &self,
        container: &Container,
        wishes: &Wishes,
        stated: Option<&str>,
    ) -> Result<Address, NoAddress> {
        let port = stated.map(str::to_owned).or_else(|| container.ports.first().map(|port| port.number.to_string()));
        if self.use_bind_port_ip
            && let Some(published) = published(container, port.as_deref())
        {
            return Ok(published);
        }
        let network = if wishes.docker.network.is_empty() { self.network } else { &wishes.docker.network };
        let host = self.host_of(container, network, MAX_CHAIN).map_err(NoAddress::Other)?;
        Ok(Address { host, port: port.ok_or(NoAddress::Port)? })
    }

    fn host_of(&self, container: &Container, network: &str, chain: usize) -> Result<String, String> {
        let name = &container.name;
        let nowhere = || format!("unable to find the IP address for the container {name:?}: the server is ignored");
        let known = |address: &String| Some(address.clone()).filter(|address| !address.is_empty());
        let mut missing = false;
        if !network.is_empty() {
            if let Some(address) = container.networks.get(network) {
                return known(address).ok_or_else(nowhere);
            }
            missing = !container.networks.is_empty();
        }
        match &container.attachment {
            Attachment::Host => return Ok(self.host.to_owned()),
            Attachment::Container(id) => {
                let other = self.others.get(id).filter(|_| chain > 0).ok_or_else(nowhere)?;
                let wishes = Wishes::read(&other.name, &other.labels).map_err(|errors| errors.to_string())?;
                let network = if wishes.docker.network.is_empty() { network } else { &wishes.docker.network };
                return self.host_of(other, network, chain - 1);
            }
            Attachment::Own => {}
        }
        // Traefik takes whichever comes first; the first by name that has an address is at least always the same.
        let (other, address) =
            container.networks.iter().find_map(|(name, address)| Some((name, known(address)?))).ok_or_else(nowhere)?;
        if missing {
            tracing::warn!(
                container = name,
                network,
                used = other,
                "Could not find the network. Is the project's prefix missing in the label? Another network is used."
            );
        }
        Ok(address)
    }
}

/// The published address of the port, unless it is published on every address of the host.
fn published(container: &Container, port: Option<&str>) -> Option<Address> {
    let fits = |candidate: &&Port| {
        Some(candidate.number.to_string().as_str()) == port && matches!(candidate.protocol.as_str(), "tcp" | "udp")
    };
    let (host, port) = container.ports.iter().filter(fits).find_map(|port| port.published.clone()).or_else(|| {
        tracing::info!(
            container = container.name,
            "Found no binding of the port: the internal address and port are used."
        );
        None
    })?;
    if matches!(host.as_str(), "" | "0.0.0.0" | "::") {
        tracing::info!(
            container = container.name,
            "The port is bound to every address: the internal address and port are used."
        );
        return None;
    }
    Some(Address { host, port })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::Net;
    use crate::container::{Attachment, Container, Port};
    use crate::selection::Wishes;

    fn port(number: u16, published: Option<(&str, &str)>) -> Port {
        let published = published.map(|(host, port)| (host.to_owned(), port.to_owned()));
        Port { number, protocol: "tcp".into(), published }
    }

    fn container(networks: &[(&str, &str)], ports: Vec<Port>) -> Container {
        let networks = networks.iter().map(|(name, address)| ((*name).to_owned(), (*address).to_owned())).collect();
        Container { name: "web".into(), networks, ports, ..Container::default() }
    }

    #[derive(Default)]
    struct Case<'a> {
        network: &'a str,
        bind: bool,
        label: Option<&'a str>,
        stated: Option<&'a str>,
        others: Vec<(&'a str, Container)>,
    }

    #[track_caller]
    fn check(container: &Container, case: Case<'_>, expected: &str) {
        let others: BTreeMap<Arc<str>, _> =
            case.others.into_iter().map(|(id, container)| (id.into(), Arc::new(container))).collect();
        let net = Net { network: case.network, use_bind_port_ip: case.bind, host: "127.0.0.1", others: &others };
        let mut container = container.clone();
        container.labels.extend(case.label.map(|network| ("traefik.docker.network".to_owned(), network.to_owned())));
        let wishes = Wishes::read("web", &container.labels).unwrap();
        let found = match net.address(&container, &wishes, case.stated) {
            Ok(address) => format!("{} {}", address.host, address.port),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    const NOWHERE: &str = "unable to find the IP address for the container \"web\": the server is ignored";

    #[test]
    fn ports() {
        let one = [("bridge", "10.0.0.2")];
        check(&container(&one, vec![port(80, None), port(8080, None)]), Case::default(), "10.0.0.2 80");
        check(
            &container(&one, vec![port(80, None)]),
            Case { stated: Some("9000"), ..Case::default() },
            "10.0.0.2 9000",
        );
        check(&container(&one, vec![]), Case::default(), "port is missing");
        check(&container(&[], vec![]), Case::default(), NOWHERE);
    }

    #[test]
    fn networks() {
        let two = container(&[("back", "10.1.0.2"), ("front", "10.2.0.2")], vec![port(80, None)]);
        check(&two, Case::default(), "10.1.0.2 80");
        check(&two, Case { network: "front", ..Case::default() }, "10.2.0.2 80");
        check(&two, Case { network: "back", label: Some("front"), ..Case::default() }, "10.2.0.2 80");
        check(&two, Case { label: Some("nope"), ..Case::default() }, "10.1.0.2 80");
        check(&container(&[("none", "")], vec![port(80, None)]), Case::default(), NOWHERE);
        check(&container(&[("a", ""), ("b", "10.0.0.3")], vec![port(80, None)]), Case::default(), "10.0.0.3 80");
        check(
            &container(&[("a", ""), ("b", "10.0.0.3")], vec![port(80, None)]),
            Case { label: Some("a"), ..Case::default() },
            NOWHERE,
        );
        check(&container(&[("v6", "fd00::2")], vec![port(80, None)]), Case::default(), "fd00::2 80");
    }

    #[test]
    fn the_host_s_network() {
        let mut host = container(&[("host", "")], vec![]);
        host.attachment = Attachment::Host;
        check(&host, Case { stated: Some("81"), ..Case::default() }, "127.0.0.1 81");
        check(&host, Case::default(), "port is missing");
        // A named network wins even over host mode.
        check(&host, Case { stated: Some("81"), label: Some("host"), ..Case::default() }, NOWHERE);
    }

    #[test]
    fn the_network_of_another_container() {
        let mut guest = container(&[], vec![]);
        guest.attachment = Attachment::Container("vpn".into());
        let vpn = container(&[("a", "10.1.0.9"), ("b", "10.2.0.9")], vec![port(8888, None)]);
        let mut labelled = vpn.clone();
        labelled.labels.insert("traefik.docker.network".into(), "b".into());
        let with = |other: &Container, label| Case {
            stated: Some("81"),
            label,
            others: vec![("vpn", other.clone())],
            ..Case::default()
        };
        check(&guest, with(&vpn, None), "10.1.0.9 81");
        check(&guest, with(&vpn, Some("b")), "10.2.0.9 81");
        check(&guest, with(&labelled, Some("a")), "10.2.0.9 81");
        check(&guest, Case { stated: Some("81"), ..Case::default() }, NOWHERE);
        let mut circle = guest.clone();
        circle.attachment = Attachment::Container("vpn".into());
        check(&guest, with(&circle, None), NOWHERE);
    }

    #[test]
    fn published_ports() {
        let one = [("bridge", "10.0.0.2")];
        let bind = |stated| Case { bind: true, stated, ..Case::default() };
        let bound =
            container(&one, vec![port(80, Some(("192.168.1.5", "8080"))), port(81, Some(("127.0.0.1", "8081")))]);
        check(&bound, bind(None), "192.168.1.5 8080");
        check(&bound, bind(Some("81")), "127.0.0.1 8081");
        check(&bound, bind(Some("82")), "10.0.0.2 82");
        check(&bound, Case::default(), "10.0.0.2 80");
        check(&container(&one, vec![port(80, Some(("0.0.0.0", "8080")))]), bind(None), "10.0.0.2 80");
        check(&container(&one, vec![port(80, Some(("::", "8080")))]), bind(None), "10.0.0.2 80");
        check(&container(&one, vec![port(80, None)]), bind(None), "10.0.0.2 80");
    }
}
