//! Options of earlier major versions: the removed ones refuse the start and say what took their place, the deprecated
//! ones still work and say so.

use crate::{ConfigError, Node, Problem, Value, pattern};

const COLLECTOR: &str = "was removed in v3: send traces by OTLP (tracing.otlp) to a collector that speaks to it";
const NAMESPACES: &str = "was removed in v3: list the namespaces in `namespaces`";
const CA_OPTIONAL: &str = "was removed in v3, since client authentication is decided by the server: delete it";

/// Path, what took its place.
const REMOVED: &[(&str, &str)] = &[
    ("pilot", "Pilot was removed in v3: delete the section"),
    ("experimental.http3", "was removed in v3, where HTTP/3 is no experiment: set http3 on the entry point instead"),
    ("metrics.influxDB", "was removed in v3 with InfluxDB 1: use metrics.influxDB2"),
    ("providers.marathon", "Marathon was removed in v3: delete the section"),
    ("providers.rancher", "Rancher v1 was removed in v3: delete the section"),
    ("providers.docker.swarmMode", "was removed in v3: use providers.swarm"),
    ("providers.consul.namespace", NAMESPACES),
    ("providers.consulCatalog.namespace", NAMESPACES),
    ("providers.nomad.namespace", NAMESPACES),
    ("providers.docker.tls.caOptional", CA_OPTIONAL),
    ("providers.swarm.tls.caOptional", CA_OPTIONAL),
    ("providers.consul.tls.caOptional", CA_OPTIONAL),
    ("providers.consulCatalog.endpoint.tls.caOptional", CA_OPTIONAL),
    ("providers.nomad.endpoint.tls.caOptional", CA_OPTIONAL),
    ("providers.etcd.tls.caOptional", CA_OPTIONAL),
    ("providers.redis.tls.caOptional", CA_OPTIONAL),
    ("providers.zooKeeper.tls.caOptional", CA_OPTIONAL),
    ("providers.http.tls.caOptional", CA_OPTIONAL),
    ("tracing.jaeger", COLLECTOR),
    ("tracing.zipkin", COLLECTOR),
    ("tracing.datadog", COLLECTOR),
    ("tracing.instana", COLLECTOR),
    ("tracing.haystack", COLLECTOR),
    ("tracing.elastic", COLLECTOR),
    ("tracing.spanNameLimit", "was removed in v3, where span names have a fixed length: delete it"),
];

/// Path, what to write instead.
const DEPRECATED: &[(&str, &str)] = &[
    ("core.defaultRuleSyntax", "is deprecated since v3.4: write all rules in the v3 syntax"),
    ("experimental.kubernetesGateway", "is deprecated since v3.1, where the provider is no experiment: delete it"),
    ("experimental.kubernetesIngressNGINX", "is deprecated since v3.6, where the provider is no experiment: delete it"),
    (
        "providers.kubernetesIngress.disableIngressClassLookup",
        "is deprecated since v3.1: use disableClusterScopeResources",
    ),
    ("tracing.globalAttributes", "is deprecated: use resourceAttributes"),
    ("entryPoints.*.http.underscoreHeadersStrategy", "is deprecated since v3.7: use aliasHeadersStrategy"),
    (
        "certificatesResolvers.*.acme.dnsChallenge.delayBeforeCheck",
        "is deprecated since v3.3: use propagation.delayBeforeChecks",
    ),
    (
        "certificatesResolvers.*.acme.dnsChallenge.disablePropagationCheck",
        "is deprecated since v3.3: use propagation.disableChecks",
    ),
];

/// Root words that only removed options have.
pub const REMOVED_SECTIONS: [&str; 1] = ["pilot"];

/// What was written of removed options, and `root` without it.
pub(super) fn removed(root: &Node) -> (Vec<ConfigError>, Node) {
    let mut rest = root.clone();
    let mut errors = Vec::new();
    for (path, hint) in REMOVED {
        let found = written(root, path, hint, |hint| Problem::Removed { hint });
        if !found.is_empty() {
            rest = pattern::without(&rest, path);
            errors.extend(found);
        }
    }
    (errors, rest)
}

/// What was written of deprecated options.
pub(super) fn deprecated(root: &Node) -> Vec<ConfigError> {
    let warn = |hint| Problem::Other { message: hint };
    DEPRECATED.iter().flat_map(|(path, hint)| written(root, path, hint, warn)).collect()
}

fn written(root: &Node, path: &str, hint: &str, problem: impl Fn(String) -> Problem) -> Vec<ConfigError> {
    pattern::find(root, path)
        .into_iter()
        .filter(|found| found.node.value != Value::Null)
        .map(|found| ConfigError {
            at: found.node.place().clone(),
            path: found.path,
            problem: problem(hint.to_owned()),
        })
        .collect()
}
