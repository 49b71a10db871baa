//! [`Keeper`]: who we are to Amazon, asked for anew before it ends.
//!
//! In the order of Amazon's own clients: the settings, the variables, the shared file, a token of a web identity, the
//! address that a task is given, and the metadata of the machine.

use jiff::{Timestamp, ToSpan};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use trafficcop_config::Secret;
use trafficcop_config::settings::discovery::Ecs as Settings;
use trafficcop_remote::sigv4::Credentials;
use trafficcop_remote::{RemoteError, body};

use crate::place::{endpoint, entry, home, profile, variable};
use crate::xml::Element;

/// The largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;
/// Where a task is told of credentials by a path alone, and where a machine is told of itself.
const OF_TASKS: &str = "http://169.254.170.2";
const OF_MACHINES: &str = "http://169.254.169.254";
const SECONDS: std::time::Duration = std::time::Duration::from_secs(2);

/// See the module.
pub(crate) struct Keeper {
    stated: Option<Credentials>,
    known: Option<(Credentials, Timestamp)>,
}

/// As tasks and machines are told.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: String,
}

impl Keeper {
    pub(crate) fn new(settings: &Settings) -> Self {
        let stated = (!settings.access_key_id.is_empty()).then(|| Credentials {
            id: settings.access_key_id.reveal().to_owned(),
            secret: settings.secret_access_key.clone(),
            token: Secret::default(),
        });
        Self { stated: stated.or_else(of_variables), known: None }
    }

    /// Who we are for the next minutes.
    pub(crate) async fn current(&mut self, client: &Client, region: &str) -> Result<Credentials, RemoteError> {
        if let Some(stated) = self.stated.clone().or_else(of_file) {
            return Ok(stated);
        }
        let soon = Timestamp::now() + 5.minutes();
        if let Some((known, end)) = self.known.as_ref()
            && *end > soon
        {
            return Ok(known.clone());
        }
        let told = if let Some(file) = variable("AWS_WEB_IDENTITY_TOKEN_FILE") {
            of_identity(client, region, &file).await?
        } else if let Some(request) = of_task(client)? {
            read(request).await?
        } else {
            of_machine(client).await?
        };
        let credentials = Credentials {
            id: told.access_key_id,
            secret: Secret::new(told.secret_access_key),
            token: Secret::new(told.token),
        };
        let end = told.expiration.parse().map_err(|error| RemoteError::Failed(format!("credentials: {error}")))?;
        self.known = Some((credentials.clone(), end));
        Ok(credentials)
    }
}

fn of_variables() -> Option<Credentials> {
    let secret = variable("AWS_SECRET_ACCESS_KEY").or_else(|| variable("AWS_SECRET_KEY"))?;
    Some(Credentials {
        id: variable("AWS_ACCESS_KEY_ID").or_else(|| variable("AWS_ACCESS_KEY"))?,
        secret: Secret::new(secret),
        token: Secret::new(variable("AWS_SESSION_TOKEN").unwrap_or_default()),
    })
}

fn of_file() -> Option<Credentials> {
    let file = variable("AWS_SHARED_CREDENTIALS_FILE").map(Into::into);
    let text = std::fs::read_to_string(file.or_else(|| Some(home()?.join("credentials")))?).ok()?;
    let (profile, get) = (profile(), |key: &str| entry(&text, &profile(), key));
    tracing::trace!(profile, "Credentials come from the shared file.");
    Some(Credentials {
        id: get("aws_access_key_id")?,
        secret: Secret::new(get("aws_secret_access_key")?),
        token: Secret::new(get("aws_session_token").unwrap_or_default()),
    })
}

/// What a task is given: a path at the address of all tasks, or a whole address, with a token or the file of one.
fn of_task(client: &Client) -> Result<Option<RequestBuilder>, RemoteError> {
    let address = match variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => format!("{OF_TASKS}{path}"),
        None => match variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            Some(address) => address,
            None => return Ok(None),
        },
    };
    let mut request = client.get(address);
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?),
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    if let Some(token) = token {
        request = request.header("Authorization", token.trim());
    }
    Ok(Some(request))
}

/// The role that the machine has.
async fn of_machine(client: &Client) -> Result<Told, RemoteError> {
    if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        return Err(RemoteError::Failed("there are no credentials in settings, variables or files".into()));
    }
    let lost = |error| {
        RemoteError::Failed(format!(
            "there are no credentials in settings, variables or files, and the machine's metadata cannot be read: {error}"
        ))
    };
    let token = metadata_token(client).await.map_err(lost)?;
    let roles = metadata(client, &token, "/latest/meta-data/iam/security-credentials/");
    let roles = text(roles).await.map_err(lost)?;
    let role = roles.lines().next().unwrap_or("").trim();
    read(metadata(client, &token, &format!("/latest/meta-data/iam/security-credentials/{role}"))).await
}

/// The region where the machine is.
pub(crate) async fn region_of_machine(client: &Client) -> Result<String, RemoteError> {
    let token = metadata_token(client).await?;
    let region = text(metadata(client, &token, "/latest/meta-data/placement/region")).await?;
    Ok(region.trim().to_owned())
}

fn metadata_address() -> String {
    let stated = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    stated.map_or_else(|| OF_MACHINES.to_owned(), |address| address.trim_end_matches('/').to_owned())
}

async fn metadata_token(client: &Client) -> Result<String, RemoteError> {
    let request = client.put(format!("{}/latest/api/token", metadata_address()));
    text(request.header("X-aws-ec2-metadata-token-ttl-seconds", "300").timeout(SECONDS)).await
}

fn metadata(client: &Client, token: &str, path: &str) -> RequestBuilder {
    client.get(format!("{}{path}", metadata_address())).header("X-aws-ec2-metadata-token", token).timeout(SECONDS)
}

/// A role for a token that a cluster gave us.
async fn of_identity(client: &Client, region: &str, file: &str) -> Result<Told, RemoteError> {
    let token = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let role = variable("AWS_ROLE_ARN").unwrap_or_default();
    let session = variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "trafficcop".into());
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", &role)
        .append_pair("RoleSessionName", &session)
        .append_pair("WebIdentityToken", token.trim())
        .finish();
    let request = client.post(endpoint("sts", region)).header("Content-Type", "application/x-www-form-urlencoded");
    let answer = text(request.body(form).timeout(SECONDS * 5)).await?;
    let document = Element::parse(&answer);
    let get =
        |key| document.as_ref()?.text(&["AssumeRoleWithWebIdentityResult", "Credentials", key]).map(str::to_owned);
    let told = || {
        Some(Told {
            access_key_id: get("AccessKeyId")?,
            secret_access_key: get("SecretAccessKey")?,
            token: get("SessionToken")?,
            expiration: get("Expiration")?,
        })
    };
    told().ok_or_else(|| RemoteError::Failed("STS answers something else than credentials".into()))
}

async fn read(request: RequestBuilder) -> Result<Told, RemoteError> {
    let text = text(request.timeout(SECONDS)).await?;
    serde_json::from_str(&text)
        .map_err(|error| RemoteError::Failed(format!("the answer holds no credentials: {error}")))
}

async fn text(request: RequestBuilder) -> Result<String, RemoteError> {
    let answer = request.send().await?;
    let status = answer.status();
    let bytes = body(answer, MAX_ANSWER).await?;
    if status.is_success() {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    Err(RemoteError::Failed(format!("the answer to a question for credentials is {status}")))
}

fn unreadable(file: &str, error: &std::io::Error) -> RemoteError {
    RemoteError::Failed(format!("{file}: {error}"))
}
