//! [`Stage`]: where the answers to challenges stand while an authority looks at them; for all instances where they share
//! a storage, since the authority may reach any of them.

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use trafficcop_kv::Shared;
use trafficcop_tls::Challenges;

use crate::answers::Answers;
use crate::mirror::{Answer, CHALLENGE};
use crate::shared::key;

/// Shared with the entry points.
#[derive(Clone, Default)]
pub struct Stage {
    pub answers: Answers,
    pub challenges: Challenges,
}

impl Stage {
    /// Answers the TLS-ALPN challenge for a name.
    pub(crate) fn show_tls(&self, name: &str, digest: &[u8]) -> Result<(), String> {
        let mut params = CertificateParams::new([name.to_owned()]).map_err(|error| error.to_string())?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let made = params.self_signed(&key).map_err(|error| error.to_string())?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        self.challenges.put(name, made.der().clone(), key).map_err(|error| error.to_string())
    }
}

/// What one order shows. Taken away when the order ends, however it ends.
pub(crate) struct Shown<'a> {
    stage: &'a Stage,
    shared: Option<&'a Shared>,
    answers: Vec<Answer>,
    /// Keys and values that other instances see.
    told: Vec<(String, Vec<u8>)>,
}

impl<'a> Shown<'a> {
    pub(crate) fn on(stage: &'a Stage, shared: Option<&'a Shared>) -> Self {
        Self { stage, shared, answers: Vec::new(), told: Vec::new() }
    }

    pub(crate) fn show(&mut self, answer: Answer) -> Result<(), String> {
        answer.show(self.stage)?;
        self.answers.push(answer);
        Ok(())
    }

    /// Tells the other instances; whether there are any to be told.
    pub(crate) async fn tell(&mut self) -> Result<bool, String> {
        let Some(shared) = self.shared else { return Ok(false) };
        for answer in &self.answers {
            let value = serde_json::to_vec(answer).map_err(|error| error.to_string())?;
            let key = key(CHALLENGE, &[&rand::random::<u128>().to_string()]);
            self.told.push((key.clone(), value.clone()));
            shared.swap(&key, None, Some(&value)).await?;
        }
        Ok(!self.answers.is_empty())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        for answer in &self.answers {
            answer.hide(self.stage);
        }
        if let Some(shared) = self.shared.filter(|_| !self.told.is_empty()).cloned() {
            let told = std::mem::take(&mut self.told);
            tokio::spawn(async move {
                for (key, value) in told {
                    if let Err(error) = shared.swap(&key, Some(&value), None).await {
                        tracing::debug!("An answer stays until it is too old: {error}");
                    }
                }
            });
        }
    }
}
