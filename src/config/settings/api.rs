//! The API, the health endpoint, and what concerns the process as a whole.

use std::collections::BTreeMap;

use super::section::section;
use crate::Secret;

section! {
    /// The process as a whole.
    pub struct Global {
        /// Looks for newer versions (Traefik's; we never do).
        pub check_new_version: bool = true,
        /// Sends usage statistics (Traefik's; we never do).
        pub send_anonymous_usage: bool = false,
        /// Leaves X-Forwarded-For without the peer's address, on every entry point.
        pub not_append_x_forwarded_for as "notAppendXForwardedFor": bool = false,
    }

    /// The API and its dashboard.
    pub struct Api {
        /// Path below which API and dashboard live.
        pub base_path: String = "/".into(),
        /// Serves the API without any protection on the entry point traefik.
        pub insecure: bool = false,
        /// Serves the dashboard.
        pub dashboard: bool = true,
        /// Name shown in the dashboard.
        pub dashboard_name: String = String::new(),
        /// Serves profiling data.
        pub debug: bool = false,
        /// Hides the hint at the vendor's products in the dashboard.
        pub disable_dashboard_ad: bool = false,
        /// Shows requests in the dashboard as they end. Ours; Traefik has none.
        pub live_tail: Option<LiveTail> = None,
        /// Lets calls change something. Ours; Traefik has none.
        pub writes: Option<Writes> = None,
    }

    /// Calls that change something.
    pub struct Writes {
        /// What whoever calls must know.
        pub token: Secret = Secret::default(),
    }

    /// The last requests, for the dashboard.
    pub struct LiveTail {
        /// Requests that are kept.
        pub size: i64 = 1000,
        /// Share of requests that are kept, 0.0 to 1.0.
        pub sample_rate: f64 = 1.0,
    }

    /// The health endpoint.
    pub struct Ping {
        /// Entry point it is served on.
        pub entry_point: String = "traefik".into(),
        /// Leaves its router to the user.
        pub manual_routing: bool = false,
        /// Status while the process is stopping.
        pub terminating_status_code: i64 = 503,
    }

    /// Resolution of requested hosts.
    pub struct HostResolver {
        /// Also tries the canonical name of a requested host.
        pub cname_flattening: bool = false,
        /// Resolver configuration.
        pub resolv_config: String = "/etc/resolv.conf".into(),
        /// Most CNAMEs followed.
        pub resolv_depth: i64 = 5,
    }

    /// Defaults of the routing core.
    pub struct Core {
        /// Rule syntax of routers that name none: v3 or v2.
        pub default_rule_syntax: String = "v3".into(),
        /// Disables routers whose TLS options conflict instead of giving them the default ones.
        pub strict_tls_options as "strictTLSOptions": bool = false,
        /// Says in X-TrafficCop-Reason why an answer is not a server's.
        pub reason_header: bool = false,
        /// Shows browsers in the words of explain why an answer is not a server's. For development: it shows the configuration.
        pub explain_pages: bool = false,
        /// Most requests worked on at once; those beyond are answered 503. 0: no limit.
        pub max_requests: i64 = 100_000,
        /// Bytes of memory from nine tenths of which on requests are turned away. 0: the control group's limit, if any.
        pub memory_limit: i64 = 0,
    }

    /// What Traefik calls experimental.
    pub struct Experimental {
        pub plugins: BTreeMap<String, Plugin> = BTreeMap::new(),
        pub local_plugins: BTreeMap<String, LocalPlugin> = BTreeMap::new(),
        /// Ends the process when a plugin cannot be loaded.
        pub abort_on_plugin_failure: bool = false,
        /// Another proxy engine of Traefik's.
        pub fast_proxy: Option<FastProxy> = None,
        /// Allows log.otlp and accessLog.otlp.
        pub otlplogs: bool = false,
        /// Allows providers.knative.
        pub knative: bool = false,
        /// Allowed providers.kubernetesIngressNGINX.
        pub kubernetes_ingress_nginx as "kubernetesIngressNGINX": bool = false,
        /// Allowed providers.kubernetesGateway.
        pub kubernetes_gateway: bool = false,
    }

    /// Another proxy engine of Traefik's.
    pub struct FastProxy {
        /// Logs what the engine does.
        pub debug: bool = false,
    }

    /// A plugin from a catalogue.
    pub struct Plugin {
        /// Where it is published.
        pub module_name: String = String::new(),
        /// Its version.
        pub version: String = String::new(),
        /// Its digest.
        pub hash: String = String::new(),
        pub settings: PluginSettings = PluginSettings::default(),
    }

    /// A plugin from a local folder.
    pub struct LocalPlugin {
        /// Its folder.
        pub module_name: String = String::new(),
        pub settings: PluginSettings = PluginSettings::default(),
    }

    /// What a plugin may use.
    pub struct PluginSettings {
        /// Environment variables it may read.
        pub envs: Vec<String> = Vec::new(),
        /// Folders it may read.
        pub mounts: Vec<String> = Vec::new(),
        /// Allows unsafe and syscall packages.
        pub use_unsafe: bool = false,
    }
}
