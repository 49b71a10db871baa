//! `httpreq`: somebody who is asked over HTTP puts the records.

use std::time::Duration;

use serde_json::json;
use trafficcop_tls::{ClientTls, client_config};

use super::Placed;
use super::variables::Variables;

/// What of an answer is repeated in the log.
const MOST_WORDS: usize = 1024;

pub(super) struct HttpReq {
    endpoint: String,
    /// The other side makes the record itself, of token and authorization.
    raw: bool,
    user: Option<(String, String)>,
    client: reqwest::Client,
}

impl HttpReq {
    pub(super) fn new(variables: &Variables) -> Result<Self, String> {
        let tls = client_config(&ClientTls::default()).map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&tls))
            .timeout(variables.seconds("HTTPREQ_HTTP_TIMEOUT").unwrap_or(Duration::from_secs(30)))
            .build()
            .map_err(|error| error.to_string())?;
        let password = || variables.find("HTTPREQ_PASSWORD").unwrap_or_default();
        Ok(Self {
            endpoint: variables.need(&["HTTPREQ_ENDPOINT"])?.trim_end_matches('/').to_owned(),
            raw: variables.find("HTTPREQ_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("RAW")),
            user: variables.find("HTTPREQ_USERNAME").map(|name| (name, password())),
            client,
        })
    }

    pub(super) async fn ask(&self, action: &str, placed: &Placed) -> Result<(), String> {
        let answer = &placed.answer;
        let body = if self.raw {
            json!({"domain": answer.name, "token": answer.token, "keyAuth": answer.authorization})
        } else {
            json!({"fqdn": placed.host, "value": answer.value})
        };
        let mut request = self.client.post(format!("{}/{action}", self.endpoint)).json(&body);
        if let Some((name, password)) = &self.user {
            request = request.basic_auth(name, Some(password));
        }
        let mut answered = request.send().await.map_err(|error| crate::failure::Failure::of(&error).text)?;
        if answered.status().is_success() {
            return Ok(());
        }
        let words = answered.chunk().await.ok().flatten().unwrap_or_default();
        let words = String::from_utf8_lossy(&words[..words.len().min(MOST_WORDS)]).trim().to_owned();
        Err(format!("{} answers {}: {words}", self.endpoint, answered.status()))
    }
}
