//! The TCP objects of a workload.

use trafficcop_config::Problem;
use trafficcop_config::dynamic::tcp::{LoadBalancer, Server, Service, Tcp};

use super::{Link, Problems, Surroundings, Workload, joined, stated, unreachable};

pub(super) fn services(workload: &Workload<'_>, around: &Surroundings<'_>, tcp: &mut Tcp, problems: &mut Problems) {
    if tcp.services.is_empty() && !tcp.routers.is_empty() {
        let service = Service { load_balancer: Some(LoadBalancer::default()), ..Service::default() };
        tcp.services.insert(workload.name.to_owned(), service.into());
    }
    for (name, service) in &mut tcp.services {
        let path = format!("tcp.services.{name}");
        let at = service.at.clone();
        match &mut service.load_balancer {
            Some(balancer) if !workload.serving => balancer.servers.retain(|server| !server.address.is_empty()),
            Some(balancer) => {
                if balancer.servers.is_empty() {
                    balancer.servers.push(Server::default());
                }
                let server = &mut balancer.servers[0];
                let port = std::mem::take(&mut server.port);
                match (around.address)(stated(&port)) {
                    Ok(address) => server.address = joined(&address),
                    Err(reason) => problems.service(&at, path, unreachable(reason)),
                }
            }
            None if !workload.serving => {}
            None => problems.service(&at, path, Problem::Other { message: "load-balancer is not defined".into() }),
        }
    }
}

pub(super) fn routers(tcp: &mut Tcp, problems: &mut Problems) {
    let link = Link::among(tcp.services.keys());
    tcp.routers.retain(|name, router| {
        let linked = if router.rule.is_empty() {
            Err("Empty rule: a TCP router must state its rule".to_owned())
        } else if router.service.is_empty() {
            link.resolve(name).map(|service| router.service = service)
        } else {
            Ok(())
        };
        linked.map_err(|message| problems.drop_router(&router.at, format!("tcp.routers.{name}"), message)).is_ok()
    });
}
