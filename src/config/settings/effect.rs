//! Options that are understood but do nothing in this build. Whoever makes one work deletes its line.

use crate::effect::NoEffect;

const LATER: &str = "not in this build yet";
const NEVER: &str = "this program never calls home";
const NO_PLUGINS: &str = "plugins are not supported";
const CLOSED: &str = "plugins are not supported: the routers that use it are closed";
const ONE: &str = "each worker has one connection, which carries all of its questions";

const fn no(pattern: &'static str, reason: &'static str) -> NoEffect {
    NoEffect { pattern, reason }
}

/// Of the static configuration. A path covers all below it.
pub const STATIC: &[NoEffect] = &[
    no("api.debug", LATER),
    no("certificatesResolvers.*.tailscale", "no certificate comes of it; resolvers with acme bring some"),
    no("core.strictTLSOptions", LATER),
    no("entryPoints.*.http2.maxEncoderHeaderTableSize", "the encoder keeps to what clients allow"),
    no("experimental.abortOnPluginFailure", NO_PLUGINS),
    no("experimental.fastProxy", "there is one proxy engine"),
    no("experimental.localPlugins", NO_PLUGINS),
    no("experimental.plugins", NO_PLUGINS),
    no("global.checkNewVersion", NEVER),
    no("global.sendAnonymousUsage", NEVER),
    no("hostResolver", LATER),
    no("providers.knative", LATER),
    no("providers.kubernetesCRD", LATER),
    no("providers.kubernetesGateway", LATER),
    no("providers.kubernetesIngress", LATER),
    no("providers.kubernetesIngressNGINX", LATER),
    no("providers.plugin", NO_PLUGINS),
    no("serversTransport.spiffe", LATER),
    no("spiffe", LATER),
    no("tcpServersTransport.terminationDelay", "only a serversTransport that a service names is asked for its delay"),
    no("tcpServersTransport.tls.spiffe", LATER),
];

/// Of the dynamic configuration. A path covers all below it.
pub const DYNAMIC: &[NoEffect] = &[
    no(
        "http.middlewares.*.headers.featurePolicy",
        "it has none in Traefik v3 either; permissionsPolicy took its place",
    ),
    no("http.middlewares.*.plugin", CLOSED),
    no("http.middlewares.*.rateLimit.redis.maxActiveConns", ONE),
    no("http.middlewares.*.rateLimit.redis.minIdleConns", ONE),
    no("http.middlewares.*.rateLimit.redis.poolSize", ONE),
    no("http.serversTransports.*.spiffe", LATER),
    no("tcp.serversTransports.*.tls.spiffe", LATER),
];
