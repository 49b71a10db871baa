//! Providers that read objects of a Kubernetes cluster.

use super::section::section;
use crate::{Duration, Secret};

section! {
    /// Kubernetes Ingress objects.
    pub struct KubernetesIngress {
        /// Address of the API server; empty inside a cluster.
        pub endpoint: String = String::new(),
        /// Access token: a file name or the token itself.
        pub token: Secret = Secret::default(),
        /// Certificate authority of the API server.
        pub cert_auth_file_path: String = String::new(),
        /// Namespaces watched; none means all.
        pub namespaces: Vec<String> = Vec::new(),
        /// Selector of objects by label.
        pub label_selector: String = String::new(),
        /// Ingress class that is taken.
        pub ingress_class: String = String::new(),
        /// Address published in the status of Ingress objects.
        pub ingress_endpoint: Option<IngressEndpoint> = None,
        /// Least time between two changes.
        pub throttle_duration: Duration = Duration::ZERO,
        /// Makes services that have no server.
        pub allow_empty_services: bool = false,
        /// Allows services of type ExternalName.
        pub allow_external_name_services: bool = false,
        /// Deprecated: does not look at IngressClass objects.
        pub disable_ingress_class_lookup: bool = false,
        /// Uses no objects of cluster scope.
        pub disable_cluster_scope_resources: bool = false,
        /// Uses the cluster's own load balancing unless told otherwise.
        pub native_lb_by_default as "nativeLBByDefault": bool = false,
        /// Matches prefixes by whole path segments.
        pub strict_prefix_matching: bool = false,
        /// Namespaces whose objects may refer to other providers.
        pub cross_provider_namespaces: Vec<String> = Vec::new(),
    }

    /// Address published in the status of Ingress objects.
    pub struct IngressEndpoint {
        /// IP address.
        pub ip: String = String::new(),
        /// Host name.
        pub hostname: String = String::new(),
        /// Service whose address is published, namespace/name.
        pub published_service: String = String::new(),
    }

    /// Kubernetes objects of Traefik's own kinds.
    pub struct KubernetesCrd {
        /// Address of the API server; empty inside a cluster.
        pub endpoint: String = String::new(),
        /// Access token: a file name or the token itself.
        pub token: Secret = Secret::default(),
        /// Certificate authority of the API server.
        pub cert_auth_file_path: String = String::new(),
        /// Namespaces watched; none means all.
        pub namespaces: Vec<String> = Vec::new(),
        /// Allows references into other namespaces.
        pub allow_cross_namespace: bool = false,
        /// Allows services of type ExternalName.
        pub allow_external_name_services: bool = false,
        /// Selector of objects by label.
        pub label_selector: String = String::new(),
        /// Ingress class that is taken.
        pub ingress_class: String = String::new(),
        /// Least time between two changes.
        pub throttle_duration: Duration = Duration::ZERO,
        /// Makes services that have no server.
        pub allow_empty_services: bool = false,
        /// Uses the cluster's own load balancing unless told otherwise.
        pub native_lb_by_default as "nativeLBByDefault": bool = false,
        /// Uses no objects of cluster scope.
        pub disable_cluster_scope_resources: bool = false,
        /// Namespaces whose objects may refer to other providers.
        pub cross_provider_namespaces: Vec<String> = Vec::new(),
        /// Namespace that alone may define the default TLS options and store.
        pub default_tls_resources_namespace as "defaultTLSResourcesNamespace": String = String::new(),
        /// Makes names that cannot collide.
        pub safe_naming: bool = false,
    }

    /// Kubernetes Gateway API objects.
    pub struct KubernetesGateway {
        /// Address of the API server; empty inside a cluster.
        pub endpoint: String = String::new(),
        /// Access token: a file name or the token itself.
        pub token: Secret = Secret::default(),
        /// Certificate authority of the API server.
        pub cert_auth_file_path: String = String::new(),
        /// Namespaces watched; none means all.
        pub namespaces: Vec<String> = Vec::new(),
        /// Selector of objects by label.
        pub label_selector: String = String::new(),
        /// Least time between two changes.
        pub throttle_duration: Duration = Duration::ZERO,
        /// Gateway objects that are served; none means all.
        pub gateways: Vec<ServiceRef> = Vec::new(),
        /// Reads the kinds of the experimental channel.
        pub experimental_channel: bool = false,
        /// Address published in the status of Gateway objects.
        pub status_address: Option<StatusAddress> = None,
        /// Uses the cluster's own load balancing unless told otherwise.
        pub native_lb_by_default as "nativeLBByDefault": bool = false,
        /// Namespaces whose objects may refer to other providers.
        pub cross_provider_namespaces: Vec<String> = Vec::new(),
        /// Calls per second to the API server.
        pub qps: i64 = 50,
        /// Calls at once to the API server.
        pub burst: i64 = 100,
    }

    /// Address published in the status of Gateway objects.
    pub struct StatusAddress {
        /// IP address.
        pub ip: String = String::new(),
        /// Host name.
        pub hostname: String = String::new(),
        /// Service whose address is published.
        pub service: Option<ServiceRef> = None,
    }

    /// An object in a namespace.
    pub struct ServiceRef {
        /// Name.
        pub name: String = String::new(),
        /// Namespace.
        pub namespace: String = String::new(),
    }

    /// Knative Ingress objects.
    pub struct Knative {
        /// Address of the API server; empty inside a cluster.
        pub endpoint: String = String::new(),
        /// Access token: a file name or the token itself.
        pub token: Secret = Secret::default(),
        /// Certificate authority of the API server.
        pub cert_auth_file_path: String = String::new(),
        /// Namespaces watched; none means all.
        pub namespaces: Vec<String> = Vec::new(),
        /// Selector of objects by label.
        pub label_selector: String = String::new(),
        /// Entry points of public routes.
        pub public_entrypoints: Vec<String> = Vec::new(),
        /// Entry points of private routes.
        pub private_entrypoints: Vec<String> = Vec::new(),
        /// Service published for public routes.
        pub public_service: Option<ServiceRef> = None,
        /// Service published for private routes.
        pub private_service: Option<ServiceRef> = None,
        /// Least time between two changes.
        pub throttle_duration: Duration = Duration::ZERO,
    }

    /// Kubernetes Ingress objects with the annotations of ingress-nginx.
    pub struct KubernetesIngressNginx {
        /// Address of the API server; empty inside a cluster.
        pub endpoint: String = String::new(),
        /// Access token: a file name or the token itself.
        pub token: Secret = Secret::default(),
        /// Certificate authority of the API server.
        pub cert_auth_file_path: String = String::new(),
        /// Least time between two changes.
        pub throttle_duration: Duration = Duration::ZERO,
        /// Namespace watched; none means all.
        pub watch_namespace: String = String::new(),
        /// Selector of watched namespaces by label.
        pub watch_namespace_selector: String = String::new(),
        /// Name of the ingress class that is taken.
        pub ingress_class: String = "nginx".into(),
        /// Controller of the ingress classes that are taken.
        pub controller_class: String = "k8s.io/ingress-nginx".into(),
        /// Takes Ingress objects without a class.
        pub watch_ingress_without_class: bool = false,
        /// Compares classes by name as well as by controller.
        pub ingress_class_by_name: bool = false,
        /// Service whose address is published, namespace/name.
        pub publish_service: String = String::new(),
        /// Addresses published.
        pub publish_status_address: Vec<String> = Vec::new(),
        /// Service for requests that match nothing, namespace/name.
        pub default_backend_service: String = String::new(),
        /// Refuses services of type ExternalName.
        pub disable_svc_external_name: bool = false,
        /// Entry point for plain HTTP.
        pub http_entry_point: String = String::new(),
        /// Entry point for HTTPS.
        pub https_entry_point: String = String::new(),
        /// Allows references into other namespaces.
        pub allow_cross_namespace_resources: bool = false,
        /// Understands the snippet annotations.
        pub allow_snippet_annotations: bool = false,
        /// Refuses paths that do not fit their type.
        pub strict_validate_path_type: bool = true,
        /// Response headers that annotations may set.
        pub global_allowed_response_headers: Vec<String> = Vec::new(),
        /// Address asked to authenticate every request.
        pub global_auth_url as "globalAuthURL": String = String::new(),
        /// Client addresses allowed through other proxies.
        pub ip_allow_list_strategy: Option<IpStrategy> = None,
        /// Status codes answered by the default backend.
        pub custom_http_errors as "customHTTPErrors": Vec<String> = Vec::new(),
        /// Bytes of a request body kept in memory.
        pub client_body_buffer_size: i64 = 16_384,
        /// Most bytes of a request body.
        pub proxy_body_size: i64 = 1_048_576,
        /// Buffers answers.
        pub proxy_buffering: bool = false,
        /// Bytes of the first buffer of an answer.
        pub proxy_buffer_size: i64 = 8192,
        /// Number of buffers of an answer.
        pub proxy_buffers_number: i64 = 4,
        /// Buffers requests.
        pub proxy_request_buffering: bool = false,
        /// Seconds to open a connection.
        pub proxy_connect_timeout: i64 = 60,
        /// Seconds between two reads of an answer.
        pub proxy_read_timeout: i64 = 60,
        /// Seconds between two writes of a request.
        pub proxy_send_timeout: i64 = 60,
        /// When another server is tried.
        pub proxy_next_upstream: String = "error timeout".into(),
        /// Seconds during which other servers are tried; zero means no limit.
        pub proxy_next_upstream_timeout: i64 = 0,
        /// Servers tried.
        pub proxy_next_upstream_tries: i64 = 3,
        /// Seconds an idle connection to a server is kept.
        pub upstream_keepalive_timeout: i64 = 60,
    }

    /// How the client's address is found behind other proxies.
    pub struct IpStrategy {
        /// Which address of X-Forwarded-For, counted from the right.
        pub depth: i64 = 0,
        /// Addresses of X-Forwarded-For passed over.
        pub excluded_ips as "excludedIPs": Vec<String> = Vec::new(),
        /// Prefix length to which IPv6 addresses are cut.
        pub ipv6_subnet: i64 = 0,
    }
}
