//! Instances of services that describe themselves by tags, as catalogues list them: from there to a configuration.
//!
//! A tag `traefik.x=y` is the label `traefik.x`; another first word than `traefik` may be set. Knows no catalogue. What
//! must hold: one instance with a mistake leaves out itself and nobody else.

mod mesh;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::labels::read;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

use crate::ProviderError;
use crate::constraints::{Constraints, Subject};
use crate::default_rule::DefaultRule;
use crate::normalize::normalize;
use crate::workload::{Address, Check, NoAddress, Part, Surroundings, Workload, merge_each};

pub use mesh::Mesh;

/// One instance of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// The service's.
    pub name: String,
    pub node: String,
    pub id: String,
    pub address: String,
    pub port: String,
    pub tags: Vec<String>,
    /// How it is reached through a service mesh, as far as that is known.
    pub mesh: Option<Arc<Mesh>>,
    /// It stands for a service of which nothing runs for the moment: its routes are kept, without servers.
    pub is_empty: bool,
}

/// What the settings say of service meshes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// Are instances taken that are in one?
    pub is_aware: bool,
    /// Is an instance in one that does not say?
    pub by_default: bool,
}

/// What the settings say of every instance.
#[derive(Debug)]
pub struct Rules {
    exposed_by_default: bool,
    constraints: Constraints,
    default_rule: DefaultRule,
    prefix: String,
    /// The word of the provider's own labels: `consulcatalog`.
    word: &'static str,
    connect: Connect,
}

/// What an instance says to the provider itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Wishes {
    enable: Option<bool>,
    consulcatalog: Own,
    nomad: Own,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Own {
    canary: bool,
    connect: Option<bool>,
}

impl Rules {
    /// `option` names the settings in errors: `providers.nomad`.
    pub fn new(
        option: &str,
        word: &'static str,
        prefix: &str,
        exposed_by_default: bool,
        (constraints, default_rule): (&str, &str),
    ) -> Result<Self, ProviderError> {
        let default_rule = DefaultRule::parse(default_rule)
            .map_err(|error| ProviderError(format!("{option}.defaultRule: {error}")))?;
        if let Some(flaw) = default_rule.flaw() {
            tracing::error!("{option}.defaultRule fails for every router without a rule: {flaw}");
        }
        let constraints = Constraints::parse(constraints, Subject::Tags)
            .map_err(|error| ProviderError(error.of_option(&format!("{option}.constraints")).to_string()))?;
        Ok(Self {
            exposed_by_default,
            constraints,
            default_rule,
            prefix: prefix.to_owned(),
            word,
            connect: Connect::default(),
        })
    }

    #[must_use]
    pub fn with_connect(mut self, connect: Connect) -> Self {
        self.connect = connect;
        self
    }

    /// By all tags of a service: is it reached through a mesh? Tags that cannot be read say nothing; they are told of
    /// where instances are read.
    pub fn is_in_mesh(&self, tags: &[String]) -> bool {
        let labels = self.labels(tags);
        let wishes = self.wishes(&labels, "").unwrap_or_default();
        wishes.consulcatalog.connect.unwrap_or(self.connect.by_default)
    }

    fn wishes(&self, labels: &BTreeMap<String, String>, owner: &str) -> Result<Wishes, ConfigErrors> {
        let pairs = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let own = format!("traefik.{}", self.word);
        read(pairs, owner, &["traefik.enable", &own])?.decode()
    }

    /// By all tags of a service: may one of its instances be taken? It need not be asked for otherwise.
    pub fn may_concern(&self, tags: &[String]) -> bool {
        self.exposed_by_default || self.labels(tags).keys().any(|label| label.eq_ignore_ascii_case("traefik.enable"))
    }

    /// What all of them say together, and what had to be left out.
    pub fn configuration(&self, instances: &[Instance], check: Check<'_>) -> (Configuration, ConfigErrors) {
        merge_each(instances, |instance, problems| self.part(instance, check, problems))
    }

    fn part(
        &self,
        instance: &Instance,
        check: Check<'_>,
        problems: &mut Vec<ConfigError>,
    ) -> Result<Option<Part>, ConfigErrors> {
        let labels = self.labels(&instance.tags);
        let owner = format!("service {} ({}), tag", instance.name, instance.id);
        let wishes = self.wishes(&labels, &owner)?;
        let is_taken = wishes.enable.unwrap_or(self.exposed_by_default);
        if !is_taken || !self.constraints.hold_for_tags(&instance.tags) {
            return Ok(None);
        }
        let own = if self.word == "nomad" { wishes.nomad } else { wishes.consulcatalog };
        let is_in_mesh = self.word == "consulcatalog" && own.connect.unwrap_or(self.connect.by_default);
        if is_in_mesh && !self.connect.is_aware {
            return Ok(None);
        }
        let mesh = if is_in_mesh { Some(instance.mesh.as_ref().ok_or_else(|| unknown_mesh(&owner))?) } else { None };
        let name = if own.canary { canary(instance) } else { normalize(&instance.name) };
        let workload = Workload {
            owner: &owner,
            name: &name,
            plain_name: Some(&instance.name),
            container_name: None,
            labels: &labels,
            serving: !instance.is_empty,
        };
        let address = |stated: Option<&str>| {
            if instance.address.is_empty() {
                return Err(NoAddress::Other("address is missing".into()));
            }
            let port = stated.unwrap_or(&instance.port);
            if port.is_empty() {
                return Err(NoAddress::Port);
            }
            Ok(Address { host: instance.address.clone(), port: port.to_owned() })
        };
        let mut configured =
            workload.configure(&Surroundings { default_rule: &self.default_rule, address: &address, check })?;
        if let Some(mesh) = mesh {
            mesh.apply(&mut configured.configuration);
        }
        problems.extend(configured.problems.0);
        let key = normalize(&format!("{}-{}-{}", instance.node, instance.name, instance.id));
        Ok(Some(Part { key: key.into(), configuration: Arc::new(configured.configuration), leaving: false }))
    }

    /// Tags without a value are none of ours.
    fn labels(&self, tags: &[String]) -> BTreeMap<String, String> {
        let label = |tag: &String| {
            let (key, value) = tag.split_once('=')?;
            let rest = key.strip_prefix(&self.prefix)?.strip_prefix('.')?;
            Some((format!("traefik.{rest}"), value.to_owned()))
        };
        tags.iter().filter_map(label).collect()
    }
}

/// Without certificates nobody in the mesh would talk to us, and without the mesh's nobody may be believed.
fn unknown_mesh(owner: &str) -> ConfigErrors {
    let at = Origin::Label { owner: owner.into(), label: "traefik.consulcatalog.connect".into() };
    let message = "Consul has no certificate of the mesh for us: the instance is left out".to_owned();
    ConfigError { at, path: String::new(), problem: Problem::Other { message } }.into()
}

/// A name that only instances with the same tags have.
fn canary(instance: &Instance) -> String {
    let mut tags: Vec<_> = instance.tags.iter().map(String::as_str).collect();
    tags.sort_unstable();
    // FNV-1 with 64 bits.
    let digest = tags
        .concat()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| digest.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
    normalize(&format!("{}-{digest}", instance.name))
}

#[cfg(test)]
mod tests {
    use trafficcop_config::dynamic::http::CertificatePair;

    use super::*;

    fn instance(name: &str, address: &str, tags: &[&str]) -> Instance {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let (address, port) = (address.to_owned(), "80".to_owned());
        Instance {
            name: name.into(),
            node: "n".into(),
            id: format!("{name}-{address}"),
            address,
            port,
            tags,
            ..Instance::default()
        }
    }

    fn rules(prefix: &str, exposed: bool, constraints: &str) -> Rules {
        let texts = (constraints, "Host(`{{ .Name }}.test`)");
        Rules::new("providers.consulCatalog", "consulcatalog", prefix, exposed, texts).expect("the settings are right")
    }

    /// Each router with its rule, each service with its servers, and what is wrong.
    #[track_caller]
    fn check(rules: &Rules, instances: &[Instance], expected: &[&str]) {
        let (configuration, problems) = rules.configuration(instances, &|_, _| Ok(()));
        let http = configuration.http.unwrap_or_default();
        let routers = http.routers.iter().map(|(name, router)| format!("{name}: {}", router.rule.value));
        let services = http.services.iter().map(|(name, service)| {
            let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
            format!("{name} → {}", servers.map(|server| server.url.clone()).collect::<Vec<_>>().join(" "))
        });
        let problems = problems.0.iter().map(|problem| format!("! {problem}"));
        let shown: Vec<_> = routers.chain(services).chain(problems).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn instances_become_servers() {
        let two = [instance("my_web", "10.0.0.1", &[]), instance("my_web", "10.0.0.2", &["other"])];
        let expected = ["my-web: Host(`my_web.test`)", "my-web → http://10.0.0.1:80 http://10.0.0.2:80"];
        check(&rules("traefik", true, ""), &two, &expected);
        check(&rules("traefik", false, ""), &two, &[]);
        check(
            &rules("traefik", true, "Tag(`other`)"),
            &two,
            &["my-web: Host(`my_web.test`)", "my-web → http://10.0.0.2:80"],
        );
    }

    #[test]
    fn tags_are_labels() {
        let tags = [
            "edge.enable=true",
            "edge.http.routers.r.rule=Path(`/=`)",
            "edge.http.services.s.loadbalancer.server.port=81",
        ];
        let expected = ["r: Path(`/=`)", "s → http://10.0.0.1:81"];
        check(&rules("edge", false, ""), &[instance("web", "10.0.0.1", &tags)], &expected);
        check(&rules("traefik", false, ""), &[instance("web", "10.0.0.1", &tags)], &[]);
        check(&rules("traefik", true, ""), &[instance("web", "10.0.0.1", &["traefik.enable=false"])], &[]);
    }

    #[test]
    fn a_mistake_leaves_out_one_instance() {
        let bad = instance("bad", "10.0.0.1", &["traefik.http.routers.r.ruel=x"]);
        let good = instance("good", "10.0.0.2", &[]);
        let expected = [
            "good: Host(`good.test`)",
            "good → http://10.0.0.2:80",
            "! service bad (bad-10.0.0.1), tag traefik.http.routers.r.ruel: http.routers.r.ruel: field not found, node: ruel \
             (did you mean rule?)",
        ];
        check(&rules("traefik", true, ""), &[bad, good], &expected);
    }

    #[test]
    fn instances_in_a_mesh() {
        let tag = "traefik.consulcatalog.connect=true";
        let outside = instance("web", "10.0.0.1", &[]);
        let mut inside = instance("mesh", "10.0.0.2", &[tag]);
        check(&rules("traefik", true, ""), &[inside.clone()], &[]);
        let aware = |by_default| rules("traefik", true, "").with_connect(Connect { is_aware: true, by_default });
        let missing = "! service mesh (mesh-10.0.0.2), tag traefik.consulcatalog.connect: Consul has no certificate of the \
                       mesh for us: the instance is left out";
        check(&aware(false), &[inside.clone()], &[missing]);
        let leaf = CertificatePair { cert_file: "CERT".into(), key_file: "KEY".into() };
        let identity = "spiffe:///ns/default/dc/dc1/svc/mesh".to_owned();
        let transport = "tls-default-dc1-mesh".to_owned();
        inside.mesh = Some(Arc::new(Mesh { transport, identity: identity.clone(), roots: vec!["ROOT".into()], leaf }));
        let expected = [
            "mesh: Host(`mesh.test`)",
            "web: Host(`web.test`)",
            "mesh → https://10.0.0.2:80",
            "web → http://10.0.0.1:80",
        ];
        let both = [outside, inside];
        check(&aware(false), &both, &expected);
        let (configuration, _) = aware(false).configuration(&both, &|_, _| Ok(()));
        let http = configuration.http.expect("there are services");
        let transport = &http.servers_transports["tls-default-dc1-mesh"];
        assert_eq!((&transport.peer_cert_uri, &transport.root_cas[0]), (&identity, &"ROOT".to_owned()));
        let used = |name: &str| http.services[name].load_balancer.as_ref().map(|balancer| &*balancer.servers_transport);
        assert_eq!((used("mesh"), used("web")), (Some("tls-default-dc1-mesh"), Some("")));
        let is_in_mesh = |rules: Rules, tags: &[&str]| {
            rules.is_in_mesh(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>())
        };
        assert!(is_in_mesh(aware(false), &[tag]) && !is_in_mesh(aware(false), &[]) && is_in_mesh(aware(true), &[]));
        assert!(!is_in_mesh(aware(true), &["traefik.consulcatalog.connect=false"]));
    }

    #[test]
    fn tcp_through_a_mesh() {
        let tags = ["traefik.consulcatalog.connect=true", "traefik.tcp.routers.t.rule=HostSNI(`*`)"];
        let mut inside = instance("mesh", "10.0.0.2", &tags);
        let leaf = CertificatePair::default();
        inside.mesh = Some(Arc::new(Mesh { transport: "m".into(), identity: "i".into(), roots: Vec::new(), leaf }));
        let rules = rules("traefik", true, "").with_connect(Connect { is_aware: true, by_default: false });
        let (configuration, problems) = rules.configuration(&[inside], &|_, _| Ok(()));
        assert_eq!(problems, ConfigErrors::default());
        let tcp = configuration.tcp.expect("there is a router");
        let balancer = tcp.services["mesh"].load_balancer.as_ref().expect("it has servers");
        assert_eq!((balancer.servers_transport.as_str(), balancer.servers[0].tls), ("m", true));
        assert_eq!(tcp.servers_transports["m"].tls.as_ref().map(|tls| tls.peer_cert_uri.as_str()), Some("i"));
    }

    #[test]
    fn canaries_have_names_of_their_own() {
        let tags = ["traefik.consulcatalog.canary=true", "v2"];
        let shown = canary(&instance("web", "10.0.0.1", &tags));
        assert_eq!(shown, canary(&instance("web", "10.0.0.2", &["v2", tags[0]])), "the order of tags does not matter");
        let digits = shown.strip_prefix("web-").expect("it begins with the service's name");
        assert!(digits.parse::<u64>().is_ok(), "{shown}");
    }
}
