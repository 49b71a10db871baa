//! [`Stage`]: where the answers to challenges stand while an authority looks at them.

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use trafficcop_tls::Challenges;

use crate::answers::Answers;

/// Shared with the entry points.
#[derive(Clone, Default)]
pub struct Stage {
    pub answers: Answers,
    pub challenges: Challenges,
}

/// What one order shows. Taken away when the order ends, however it ends.
pub(crate) struct Shown<'a> {
    stage: &'a Stage,
    tokens: Vec<String>,
    names: Vec<String>,
}

impl<'a> Shown<'a> {
    pub(crate) fn on(stage: &'a Stage) -> Self {
        Self { stage, tokens: Vec::new(), names: Vec::new() }
    }

    pub(crate) fn by_http(&mut self, name: &str, token: &str, authorization: &str) {
        self.stage.answers.put(token, name, authorization);
        self.tokens.push(token.to_owned());
    }

    pub(crate) fn by_tls(&mut self, name: &str, digest: &[u8]) -> Result<(), String> {
        let mut params = CertificateParams::new([name.to_owned()]).map_err(|error| error.to_string())?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let made = params.self_signed(&key).map_err(|error| error.to_string())?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        self.stage.challenges.put(name, made.der().clone(), key).map_err(|error| error.to_string())?;
        self.names.push(name.to_owned());
        Ok(())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        for token in &self.tokens {
            self.stage.answers.remove(token);
        }
        for name in &self.names {
            self.stage.challenges.remove(name);
        }
    }
}
