//! Where certificates come from, and how they are vouched for.

use std::collections::BTreeMap;

use super::Settings;
use super::section::section;
use super::stores::{Consul, Etcd, Redis};
use super::validate::{Examiner, other};
use crate::{Duration, Problem, Secret};

section! {
    /// One certificates resolver.
    pub struct CertificateResolver {
        /// Certificates by ACME.
        pub acme: Option<Acme> = None,
        /// Certificates by Tailscale.
        pub tailscale: Option<Tailscale> = None,
    }

    /// Tailscale; it has no options.
    pub struct Tailscale {}

    /// Certificates by ACME.
    pub struct Acme {
        /// Address of the account.
        pub email: String = String::new(),
        /// Directory of the certificate authority.
        pub ca_server: String = "https://acme-v02.api.letsencrypt.org/directory".into(),
        /// Common name of the preferred chain's root.
        pub preferred_chain: String = String::new(),
        /// Certificate profile.
        pub profile: String = String::new(),
        /// Addresses put into the certificate request.
        pub email_addresses: Vec<String> = Vec::new(),
        /// Leaves the common name out of the request.
        pub disable_common_name: bool = false,
        /// File that keeps account and certificates.
        pub storage: String = "acme.json".into(),
        /// Store that keeps account, certificates and challenges for several instances, in the place of the file.
        pub shared_storage: Option<SharedStorage> = None,
        /// Key type: EC256, EC384, RSA2048, RSA4096 or RSA8192.
        pub key_type: String = "RSA4096".into(),
        /// External account binding.
        pub eab: Option<Eab> = None,
        /// Hours a certificate lives; decides when it is renewed.
        pub certificates_duration: i64 = 2160,
        /// Time for a certificate to be issued.
        pub certificate_timeout: Duration = Duration::from_secs(30),
        /// Time for a whole call to the authority.
        pub client_timeout: Duration = Duration::from_secs(120),
        /// Time for the head of the authority's answer.
        pub client_response_header_timeout: Duration = Duration::from_secs(30),
        /// Certificate authorities trusted for the directory.
        pub ca_certificates: Vec<String> = Vec::new(),
        /// Trusts the system's authorities as well.
        pub ca_system_cert_pool: bool = false,
        /// Name expected in the directory's certificate.
        pub ca_server_name: String = String::new(),
        /// Proves names by DNS.
        pub dns_challenge: Option<DnsChallenge> = None,
        /// Proves names by HTTP.
        pub http_challenge: Option<HttpChallenge> = None,
        /// Proves names by TLS.
        pub tls_challenge: Option<TlsChallenge> = None,
    }

    /// A store that instances share; one of them.
    pub struct SharedStorage {
        /// Consul.
        pub consul: Option<Consul> = None,
        /// Etcd.
        pub etcd: Option<Etcd> = None,
        /// Redis.
        pub redis: Option<Redis> = None,
    }

    /// External account binding.
    pub struct Eab {
        /// Key identifier.
        pub kid: String = String::new(),
        /// Key, base64url.
        pub hmac_encoded: Secret = Secret::default(),
    }

    /// Proof by DNS.
    pub struct DnsChallenge {
        /// Name of the DNS provider.
        pub provider: String = String::new(),
        /// Resolvers asked whether the record is visible.
        pub resolvers: Vec<String> = Vec::new(),
        /// How the record's propagation is checked.
        pub propagation: Option<Propagation> = None,
        /// Deprecated: propagation.delayBeforeChecks.
        pub delay_before_check: Duration = Duration::ZERO,
        /// Deprecated: propagation.disableChecks.
        pub disable_propagation_check: bool = false,
    }

    /// How a record's propagation is checked.
    pub struct Propagation {
        /// Does not check at all.
        pub disable_checks: bool = false,
        /// Does not ask the authoritative servers.
        pub disable_ans_checks as "disableANSChecks": bool = false,
        /// Asks every recursive server.
        pub require_all_rns as "requireAllRNS": bool = false,
        /// Time before the first check.
        pub delay_before_checks: Duration = Duration::ZERO,
    }

    /// Proof by HTTP.
    pub struct HttpChallenge {
        /// Entry point the challenge arrives on.
        pub entry_point: String = String::new(),
        /// Time before the authority is told to look.
        pub delay: Duration = Duration::ZERO,
    }

    /// Proof by TLS.
    pub struct TlsChallenge {
        /// Time before the authority is told to look.
        pub delay: Duration = Duration::ZERO,
    }

    /// The SPIFFE workload API.
    pub struct SpiffeClient {
        /// Address of the workload API.
        pub workload_api_addr as "workloadAPIAddr": String = String::new(),
    }

    /// OCSP stapling.
    pub struct Ocsp {
        /// Responder address by the address in the certificate.
        pub responder_overrides: BTreeMap<String, String> = BTreeMap::new(),
    }
}

/// Certificates resolvers that cannot work.
pub(super) fn validate(settings: &Settings, examiner: &mut Examiner<'_>) {
    for (name, resolver) in &settings.certificates_resolvers {
        let path = format!("certificatesResolvers.{name}");
        let Some(acme) = &resolver.acme else { continue };
        if resolver.tailscale.is_some() {
            examiner.error(path.clone(), other("has both acme and tailscale; one of them must go"));
        }
        if acme.storage.is_empty() {
            examiner.error(format!("{path}.acme"), Problem::Missing { field: "storage".into() });
        }
        if let Some(shared) = &acme.shared_storage {
            let named = [shared.consul.is_some(), shared.etcd.is_some(), shared.redis.is_some()];
            if named.into_iter().filter(|is_set| *is_set).count() != 1 {
                let one = "must name one store: consul, etcd or redis";
                examiner.error(format!("{path}.acme.sharedStorage"), other(one));
            }
        }
        let http = acme.http_challenge.as_ref().map(|challenge| &challenge.entry_point).filter(|name| !name.is_empty());
        examiner.entry_point_exists(&format!("{path}.acme.httpChallenge.entryPoint"), http, settings);
    }
}
