//! [`Material`]: our certificate in the service mesh (Consul Connect), and the authorities of the mesh.
//!
//! Consul's agent renews the certificate and tells of it. What must hold: when Consul has nothing to say, what it said last
//! stays in force.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use trafficcop_config::dynamic::http::CertificatePair;
use trafficcop_provider::catalog::Mesh;
use trafficcop_provider::normalize::normalize;
use trafficcop_remote::RemoteError;
use trafficcop_remote::consul::{Answer, Server};

const ROOTS: &str = "/v1/agent/connect/ca/roots";

/// See the module.
pub(crate) struct Material {
    /// Where the certificate of our service is.
    path: String,
    known: Option<Known>,
    told: Option<RemoteError>,
}

struct Known {
    leaf: CertificatePair,
    roots: Vec<String>,
    /// How far each of the two is known.
    leaf_index: u64,
    roots_index: u64,
}

#[derive(Deserialize)]
struct Leaf {
    #[serde(rename = "CertPEM")]
    certificate: String,
    #[serde(rename = "PrivateKeyPEM")]
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Roots {
    roots: Vec<Root>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Root {
    root_cert: String,
}

impl Material {
    pub(crate) fn of(service: &str) -> Self {
        let path = format!("/v1/agent/connect/ca/leaf/{}", utf8_percent_encode(service, NON_ALPHANUMERIC));
        Self { path, known: None, told: None }
    }

    /// Waits until there is another certificate or authority; for ever where nothing is known yet, or nothing is said.
    pub(crate) async fn changed(&self, server: &Server) {
        let Some(known) = &self.known else { return std::future::pending().await };
        let leaf = server.ask::<IgnoredAny>(&self.path, &[], Some(known.leaf_index));
        let roots = server.ask::<IgnoredAny>(ROOTS, &[], Some(known.roots_index));
        let is_heard = tokio::select! {
            answer = leaf => answer.is_ok(),
            answer = roots => answer.is_ok(),
        };
        if !is_heard {
            std::future::pending::<()>().await;
        }
    }

    /// Asks for what there is now.
    pub(crate) async fn refresh(&mut self, server: &Server) {
        match self.ask(server).await {
            Ok(known) => {
                self.known = Some(known);
                self.told = None;
            }
            Err(error) => {
                if self.told.as_ref() != Some(&error) {
                    tracing::error!(%error, "Consul shows no certificate of the service mesh; what it showed last stays in force.");
                }
                self.told = Some(error);
            }
        }
    }

    async fn ask(&self, server: &Server) -> Result<Known, RemoteError> {
        let missing = |what: &str| RemoteError::Failed(format!("Consul has no {what}: is Connect enabled?"));
        let (leaf, roots) =
            tokio::try_join!(server.ask::<Leaf>(&self.path, &[], None), server.ask::<Roots>(ROOTS, &[], None))?;
        let (Answer { index: leaf_index, value: leaf }, Answer { index: roots_index, value: roots }) = (leaf, roots);
        let leaf = leaf.ok_or_else(|| missing("certificate for us"))?;
        let roots = roots.ok_or_else(|| missing("authorities"))?;
        Ok(Known {
            leaf: CertificatePair { cert_file: leaf.certificate, key_file: leaf.key },
            roots: roots.roots.into_iter().map(|root| root.root_cert).collect(),
            leaf_index,
            roots_index,
        })
    }

    /// How a service of the mesh is reached; none as long as we have no certificate.
    pub(crate) fn mesh(&self, namespace: &str, datacenter: &str, service: &str) -> Option<Arc<Mesh>> {
        let known = self.known.as_ref()?;
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        Some(Arc::new(Mesh {
            transport: normalize(&format!("tls-{namespace}-{datacenter}-{service}")),
            identity: format!("spiffe:///ns/{namespace}/dc/{datacenter}/svc/{service}"),
            roots: known.roots.clone(),
            leaf: known.leaf.clone(),
        }))
    }
}
