//! The UDP objects of a workload.

use trafficcop_config::Problem;
use trafficcop_config::dynamic::udp::{LoadBalancer, Server, Service, Udp};

use super::{Link, Problems, Surroundings, Workload, joined, stated, unreachable};

pub(super) fn services(workload: &Workload<'_>, around: &Surroundings<'_>, udp: &mut Udp, problems: &mut Problems) {
    if udp.services.is_empty() && !udp.routers.is_empty() {
        let service = Service { load_balancer: Some(LoadBalancer::default()), ..Service::default() };
        udp.services.insert(workload.name.to_owned(), service.into());
    }
    for (name, service) in &mut udp.services {
        let path = format!("udp.services.{name}");
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

pub(super) fn routers(udp: &mut Udp, problems: &mut Problems) {
    let link = Link::among(udp.services.keys());
    udp.routers.retain(|name, router| {
        if !router.service.is_empty() {
            return true;
        }
        let linked = link.resolve(name).map(|service| router.service = service);
        linked.map_err(|message| problems.drop_router(&router.at, format!("udp.routers.{name}"), message)).is_ok()
    });
}
