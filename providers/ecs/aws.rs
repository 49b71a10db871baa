//! [`Aws`]: signed questions to ECS, EC2 and SSM.

use jiff::Timestamp;
use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trafficcop_config::settings::discovery::Ecs as Settings;
use trafficcop_provider::ProviderError;
use trafficcop_remote::sigv4::{Request, sign};
use trafficcop_remote::{RemoteError, body, client, words};
use url::Url;

use crate::credentials::{Keeper, region_of_machine};
use crate::place::{endpoint, region};
use crate::xml::Element;

/// How long one question may take, and the largest answer that is read.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(20);
const MAX_ANSWER: u64 = 64 << 20;

/// See the module.
pub(crate) struct Aws {
    client: Client,
    keeper: Keeper,
    region: Option<String>,
}

/// A service, how it is asked, and in which version.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    Ecs,
    Ssm,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Ssm => "ssm",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Ecs => "AmazonEC2ContainerServiceV20141113",
            Self::Ssm => "AmazonSSM",
        }
    }
}

impl Aws {
    pub(crate) fn new(settings: &Settings) -> Result<Self, ProviderError> {
        let client = client(None, "providers.ecs")?.no_proxy().build();
        let client = client.map_err(|error| ProviderError(format!("providers.ecs: {}", words(error))))?;
        Ok(Self { client, keeper: Keeper::new(settings), region: region(&settings.region) })
    }

    /// A question in JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &mut self,
        service: Service,
        action: &str,
        question: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let question = serde_json::to_vec(question).map_err(|error| RemoteError::Failed(error.to_string()))?;
        let target = format!("{}.{action}", service.prefix());
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
        let answer = self.send(service.name(), action, &headers, question).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| RemoteError::Failed(format!("the answer to {action} is not what was expected: {error}")))
    }

    /// A question to EC2, which answers in XML.
    pub(crate) async fn ask_ec2(
        &mut self,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<Element, RemoteError> {
        let own = [("Action".to_owned(), action.to_owned()), ("Version".to_owned(), "2016-11-15".to_owned())];
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(own.iter().chain(parameters)).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let answer = self.send("ec2", action, &headers, form.into_bytes()).await?;
        Element::parse(&String::from_utf8_lossy(&answer))
            .ok_or_else(|| RemoteError::Failed(format!("the answer to {action} is no XML")))
    }

    async fn region(&mut self) -> Result<String, RemoteError> {
        if let Some(region) = &self.region {
            return Ok(region.clone());
        }
        let found = region_of_machine(&self.client).await.map_err(|error| {
            let unset = "providers.ecs.region is not set, and the machine's metadata cannot be read";
            RemoteError::Failed(format!("{unset}: {error}"))
        })?;
        Ok(self.region.insert(found).clone())
    }

    async fn send(
        &mut self,
        service: &str,
        action: &str,
        headers: &[(&str, &str)],
        question: Vec<u8>,
    ) -> Result<Vec<u8>, RemoteError> {
        let region = self.region().await?;
        let credentials = self.keeper.current(&self.client, &region).await?;
        let address = endpoint(service, &region);
        let url = Url::parse(&address).map_err(|_| RemoteError::Failed(format!("{address:?} is no address")))?;
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let host = format!("{}{port}", url.host_str().unwrap_or(""));
        let request = Request {
            method: "POST",
            host: &host,
            path: url.path(),
            headers,
            body: &question,
            region: &region,
            service,
        };
        let mut sent = self.client.post(url.clone()).timeout(ANSWER);
        for (name, value) in headers {
            sent = sent.header(*name, *value);
        }
        for (name, value) in sign(&request, &credentials, Timestamp::now()) {
            sent = sent.header(name, value);
        }
        let answer = sent.body(question).send().await?;
        let status = answer.status();
        let answer = body(answer, MAX_ANSWER).await?;
        if status.is_success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&answer[..answer.len().min(512)]).trim().to_owned();
        Err(RemoteError::Failed(format!("the answer of {service} to {action} is {status}: {text}")))
    }
}
