//! Options that are understood but do nothing in this build. Whoever makes one work deletes its line.

use crate::{Node, Scalar, Value};

use super::pattern;

/// An option that was written and does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithoutEffect {
    pub at: crate::Origin,
    /// As the user spelled it; what lies below it does nothing either.
    pub path: String,
    pub reason: &'static str,
}

const LATER: &str = "not in this build yet";
const NEVER: &str = "this program never calls home";
const NO_PLUGINS: &str = "plugins are not supported";

/// Of the static configuration: path, reason. A path covers all below it.
pub const STATIC: &[(&str, &str)] = &[
    ("accessLog", LATER),
    ("api.dashboardName", LATER),
    ("api.debug", LATER),
    ("api.disableDashboardAd", "there is no advertisement"),
    ("certificatesResolvers", LATER),
    ("entryPoints.*.http.tls.certResolver", LATER),
    ("entryPoints.*.http3", LATER),
    ("entryPoints.*.proxyProtocol", LATER),
    ("entryPoints.*.udp", LATER),
    ("experimental.abortOnPluginFailure", NO_PLUGINS),
    ("experimental.fastProxy", "there is one proxy engine"),
    ("experimental.localPlugins", NO_PLUGINS),
    ("experimental.plugins", NO_PLUGINS),
    ("global.checkNewVersion", NEVER),
    ("global.sendAnonymousUsage", NEVER),
    ("hostResolver", LATER),
    ("log.otlp", LATER),
    ("metrics", LATER),
    ("ocsp", LATER),
    ("providers.consul", LATER),
    ("providers.consulCatalog", LATER),
    ("providers.ecs", LATER),
    ("providers.etcd", LATER),
    ("providers.http", LATER),
    ("providers.knative", LATER),
    ("providers.kubernetesCRD", LATER),
    ("providers.kubernetesGateway", LATER),
    ("providers.kubernetesIngress", LATER),
    ("providers.kubernetesIngressNGINX", LATER),
    ("providers.nomad", LATER),
    ("providers.plugin", NO_PLUGINS),
    ("providers.redis", LATER),
    ("providers.rest", LATER),
    ("providers.swarm", LATER),
    ("providers.zooKeeper", LATER),
    ("serversTransport.spiffe", LATER),
    ("spiffe", LATER),
    ("tcpServersTransport", LATER),
    ("tracing", LATER),
];

/// Of the dynamic configuration: path, reason. A path covers all below it.
pub const DYNAMIC: &[(&str, &str)] = &[
    ("http.middlewares.*.plugin", NO_PLUGINS),
    ("http.routers.*.tls.certResolver", LATER),
    ("http.serversTransports.*.spiffe", LATER),
    ("tcp", LATER),
    ("tls.stores.*.defaultGeneratedCert", LATER),
    ("udp", LATER),
];

/// What was written of `table`. An option that was written only to switch it off is as good as not written.
pub fn without_effect(document: &Node, table: &[(&str, &'static str)]) -> Vec<WithoutEffect> {
    let mut out = Vec::new();
    for (path, reason) in table {
        let written = pattern::find(document, path).into_iter().filter(|found| !is_off(found.node));
        out.extend(written.map(|found| WithoutEffect { at: found.node.place().clone(), path: found.path, reason }));
    }
    out
}

fn is_off(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(Scalar::Bool(value)) => !value,
        Value::Scalar(Scalar::Text(text)) => matches!(&**text, "0" | "f" | "F" | "false" | "False" | "FALSE"),
        _ => false,
    }
}
