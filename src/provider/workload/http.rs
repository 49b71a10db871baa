//! The HTTP objects of a workload: what it states, completed by what is automatic.

use trafficcop_config::dynamic::http::{Http, LoadBalancer, Router, Server, Service};
use trafficcop_config::{At, Problem};

use super::{Address, Link, NoAddress, Problems, Surroundings, Workload, joined, stated, unreachable};
use crate::default_rule::DefaultRule;

pub(super) fn services(workload: &Workload<'_>, around: &Surroundings<'_>, http: &mut Http, problems: &mut Problems) {
    if http.services.is_empty() {
        let service = Service { load_balancer: Some(LoadBalancer::default()), ..Service::default() };
        http.services.insert(workload.name.to_owned(), service.into());
    }
    for (name, service) in &mut http.services {
        let path = format!("http.services.{name}");
        let at = service.at.clone();
        match &mut service.load_balancer {
            Some(balancer) if !workload.serving => balancer.servers.retain(|server| !server.url.is_empty()),
            Some(balancer) => {
                if let Err(problem) = complete(balancer, around.address) {
                    let label =
                        if matches!(problem, Problem::Missing { .. }) { ".loadbalancer.server.port" } else { "" };
                    problems.service(&at, format!("{path}{label}"), problem);
                }
            }
            None if !workload.serving => {}
            None => problems.service(&at, path, Problem::Other { message: "load-balancer is not defined".into() }),
        }
    }
}

/// Gives the one server its URL.
fn complete(
    balancer: &mut LoadBalancer,
    address: &dyn Fn(Option<&str>) -> Result<Address, NoAddress>,
) -> Result<(), Problem> {
    if balancer.servers.is_empty() {
        balancer.servers.push(Server::default());
    }
    let server = &mut balancer.servers[0];
    let (port, scheme) = (std::mem::take(&mut server.port), std::mem::take(&mut server.scheme));
    if !server.url.is_empty() {
        if port.is_empty() && scheme.is_empty() {
            return Ok(());
        }
        return Err(Problem::Other { message: "defining scheme or port is not allowed when URL is defined".into() });
    }
    let address = address(stated(&port)).map_err(unreachable)?;
    let scheme = if scheme.is_empty() { "http" } else { &scheme };
    server.url = format!("{scheme}://{}", joined(&address));
    Ok(())
}

pub(super) fn routers(workload: &Workload<'_>, default: &DefaultRule, http: &mut Http, problems: &mut Problems) {
    let link = Link::among(http.services.keys());
    if http.routers.is_empty() {
        if let Link::Ambiguous(names) = &link {
            tracing::info!(
                container = workload.owner,
                services = names,
                "Could not create a router for the container: too many services."
            );
            return;
        }
        http.routers.insert(workload.name.to_owned(), Router::default().into());
    }
    http.routers.retain(|name, router| match complete_router(workload, default, &link, name, router) {
        Ok(()) => true,
        Err(message) => {
            problems.drop_router(&router.at, format!("http.routers.{name}"), message);
            false
        }
    });
}

fn complete_router(
    workload: &Workload<'_>,
    default: &DefaultRule,
    link: &Link,
    name: &str,
    router: &mut At<Router>,
) -> Result<(), String> {
    if router.rule.is_empty() {
        let made =
            default.render(workload.subject()).map_err(|flaw| format!("Error while parsing default rule: {flaw}"))?;
        router.rule = made.ok_or("Undefined rule: it has no rule and the default rule renders to nothing")?.into();
        router.default_rule = true;
    }
    if router.service.is_empty() {
        router.service = link.resolve(name)?;
    }
    Ok(())
}
