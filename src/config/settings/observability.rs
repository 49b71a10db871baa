//! What is written about traffic: logs, access logs, metrics, traces.

use std::collections::BTreeMap;

use super::section::section;
use super::tls::ClientTls;
use crate::{Duration, Secret};

section! {
    /// The log of the process.
    pub struct Log {
        /// TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC.
        pub level: String = "ERROR".into(),
        /// common or json.
        pub format: String = "common".into(),
        /// Leaves out colours.
        pub no_color: bool = false,
        /// File to write to; none means standard output.
        pub file_path: String = String::new(),
        /// Megabytes after which the file is rotated.
        pub max_size: i64 = 0,
        /// Days a rotated file is kept.
        pub max_age: i64 = 0,
        /// Number of rotated files kept.
        pub max_backups: i64 = 0,
        /// Compresses rotated files.
        pub compress: bool = false,
        /// Sends the log by OTLP.
        pub otlp: Option<OtlpLog> = None,
    }

    /// The log of requests.
    pub struct AccessLog {
        /// File to write to; none means standard output.
        pub file_path: String = String::new(),
        /// common, genericCLF or json.
        pub format: String = "common".into(),
        pub filters: AccessLogFilters = AccessLogFilters::default(),
        pub fields: AccessLogFields = AccessLogFields::default(),
        /// Lines held back before they are written; zero writes each at once.
        pub buffering_size: i64 = 0,
        /// Includes requests to the proxy's own services.
        pub add_internals: bool = false,
        /// Writes to standard output or file as well when OTLP is used.
        pub dual_output: bool = false,
        /// Sends the log by OTLP.
        pub otlp: Option<OtlpLog> = None,
    }

    /// Which requests are logged: those that any filter keeps.
    pub struct AccessLogFilters {
        /// Status codes and ranges, such as 200 or 500-599.
        pub status_codes: Vec<String> = Vec::new(),
        /// Requests that were tried more than once.
        pub retry_attempts: bool = false,
        /// Requests that took at least this long.
        pub min_duration: Duration = Duration::ZERO,
    }

    /// Which fields are logged: keep or drop.
    pub struct AccessLogFields {
        /// For fields not named.
        pub default_mode: String = "keep".into(),
        /// Per field.
        pub names: BTreeMap<String, String> = BTreeMap::new(),
        pub headers: AccessLogHeaders = AccessLogHeaders::default(),
        pub query_parameters: AccessLogQueryParameters = AccessLogQueryParameters::default(),
    }

    /// Which headers are logged: keep, drop or redact.
    pub struct AccessLogHeaders {
        /// For headers not named.
        pub default_mode: String = "drop".into(),
        /// Per header.
        pub names: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// Which query parameters are logged: keep, drop or redact.
    pub struct AccessLogQueryParameters {
        /// For all parameters.
        pub default_mode: String = "keep".into(),
    }

    /// A log sent by OTLP.
    pub struct OtlpLog {
        /// Name of this service.
        pub service_name: String = "traefik".into(),
        /// Attributes of this process.
        pub resource_attributes: BTreeMap<String, String> = BTreeMap::new(),
        /// By gRPC.
        pub grpc: Option<OtlpGrpc> = None,
        /// By HTTP; the default.
        pub http: Option<OtlpHttp> = None,
    }

    /// OTLP by gRPC.
    pub struct OtlpGrpc {
        /// Collector, host:port.
        pub endpoint: String = "localhost:4317".into(),
        /// Uses no TLS.
        pub insecure: bool = false,
        /// TLS towards the collector.
        pub tls: Option<ClientTls> = None,
        /// Headers sent along.
        pub headers: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// OTLP by HTTP.
    pub struct OtlpHttp {
        /// Collector, scheme://host:port/path.
        pub endpoint: String = "https://localhost:4318".into(),
        /// TLS towards the collector.
        pub tls: Option<ClientTls> = None,
        /// Headers sent along.
        pub headers: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// Traces.
    pub struct Tracing {
        /// Name of this service.
        pub service_name: String = "traefik".into(),
        /// Attributes of this process.
        pub resource_attributes: BTreeMap<String, String> = BTreeMap::new(),
        /// Request headers added to spans.
        pub captured_request_headers: Vec<String> = Vec::new(),
        /// Response headers added to spans.
        pub captured_response_headers: Vec<String> = Vec::new(),
        /// Query parameters shown in spans.
        pub safe_query_params: Vec<String> = Vec::new(),
        /// Share of requests traced, 0.0 to 1.0.
        pub sample_rate: f64 = 1.0,
        /// Includes requests to the proxy's own services.
        pub add_internals: bool = false,
        /// Sends traces by OTLP.
        pub otlp: Option<OtlpTraces> = None,
        /// Deprecated: resourceAttributes.
        pub global_attributes: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// Traces sent by OTLP.
    pub struct OtlpTraces {
        /// By gRPC.
        pub grpc: Option<OtlpGrpc> = None,
        /// By HTTP; the default.
        pub http: Option<OtlpHttp> = None,
    }

    /// Metrics.
    pub struct Metrics {
        /// Includes requests to the proxy's own services.
        pub add_internals: bool = false,
        /// Serves metrics for Prometheus.
        pub prometheus: Option<Prometheus> = None,
        /// Sends metrics to Datadog.
        pub datadog: Option<Datadog> = None,
        /// Sends metrics to StatsD.
        pub statsd as "statsD": Option<Statsd> = None,
        /// Sends metrics to InfluxDB 2.
        pub influxdb2 as "influxDB2": Option<InfluxDb2> = None,
        /// Sends metrics by OTLP.
        pub otlp: Option<OtlpMetrics> = None,
    }

    /// Metrics for Prometheus.
    pub struct Prometheus {
        /// Upper bounds of the latency histogram, in seconds.
        pub buckets: Vec<f64> = vec![0.1, 0.3, 1.2, 5.0],
        /// Counts per entry point.
        pub add_entry_points_labels: bool = true,
        /// Counts per router.
        pub add_routers_labels: bool = false,
        /// Counts per service.
        pub add_services_labels: bool = true,
        /// Entry point it is served on.
        pub entry_point: String = "traefik".into(),
        /// Leaves its router to the user.
        pub manual_routing: bool = false,
        /// Labels made of request headers.
        pub header_labels: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// Metrics for Datadog.
    pub struct Datadog {
        /// Agent, host:port or unix socket.
        pub address: String = "localhost:8125".into(),
        /// Time between two pushes.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Counts per entry point.
        pub add_entry_points_labels: bool = true,
        /// Counts per router.
        pub add_routers_labels: bool = false,
        /// Counts per service.
        pub add_services_labels: bool = true,
        /// Put before every name.
        pub prefix: String = "traefik".into(),
    }

    /// Metrics for StatsD.
    pub struct Statsd {
        /// Server, host:port.
        pub address: String = "localhost:8125".into(),
        /// Time between two pushes.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Counts per entry point.
        pub add_entry_points_labels: bool = true,
        /// Counts per router.
        pub add_routers_labels: bool = false,
        /// Counts per service.
        pub add_services_labels: bool = true,
        /// Put before every name.
        pub prefix: String = "traefik".into(),
    }

    /// Metrics for InfluxDB 2.
    pub struct InfluxDb2 {
        /// Server, scheme://host:port.
        pub address: String = "http://localhost:8086".into(),
        /// Access token: a file name or the token itself.
        pub token: Secret = Secret::default(),
        /// Time between two pushes.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Organisation.
        pub org: String = String::new(),
        /// Bucket.
        pub bucket: String = String::new(),
        /// Counts per entry point.
        pub add_entry_points_labels: bool = true,
        /// Counts per router.
        pub add_routers_labels: bool = false,
        /// Counts per service.
        pub add_services_labels: bool = true,
        /// Labels added to everything.
        pub additional_labels: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// Metrics sent by OTLP.
    pub struct OtlpMetrics {
        /// By gRPC.
        pub grpc: Option<OtlpGrpc> = None,
        /// By HTTP; the default.
        pub http: Option<OtlpHttp> = None,
        /// Counts per entry point.
        pub add_entry_points_labels: bool = true,
        /// Counts per router.
        pub add_routers_labels: bool = false,
        /// Counts per service.
        pub add_services_labels: bool = true,
        /// Upper bounds of the latency histogram, in seconds.
        pub explicit_boundaries: Vec<f64> =
            vec![0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
        /// Time between two pushes.
        pub push_interval: Duration = Duration::from_secs(10),
        /// Name of this service.
        pub service_name: String = "traefik".into(),
        /// Attributes of this process.
        pub resource_attributes: BTreeMap<String, String> = BTreeMap::new(),
    }
}
