//! Services of which nothing runs, because their group was scaled to nothing: they are in no list of services, but in jobs.

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use trafficcop_provider::catalog::{Instance, Rules};
use trafficcop_remote::RemoteError;
use trafficcop_remote::catalog::AT_ONCE;
use trafficcop_remote::consul::Server;

use crate::trimmed;

#[derive(Deserialize)]
struct Stub {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Job {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    task_groups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    #[serde(default)]
    name: String,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    scaling: Option<Scaling>,
    #[serde(default)]
    services: Option<Vec<Service>>,
    #[serde(default)]
    tasks: Option<Vec<Task>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scaling {
    #[serde(default)]
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    #[serde(default)]
    services: Option<Vec<Service>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    name: String,
    /// `nomad`, or `consul`, which nothing means too.
    #[serde(default)]
    provider: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// One instance without an address for each of them.
pub(super) async fn services(server: &Server, filter: &Rules) -> Result<Vec<Instance>, RemoteError> {
    let stubs = server.ask::<Vec<Stub>>("/v1/jobs", &[], None).await?.value.unwrap_or_default();
    let paths = stubs.into_iter().map(|stub| format!("/v1/job/{}", utf8_percent_encode(&stub.id, NON_ALPHANUMERIC)));
    let jobs = stream::iter(paths)
        .map(|path| async move { server.ask::<Job>(&path, &[], None).await })
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let mut instances = Vec::new();
    for job in jobs.into_iter().filter_map(|job| job.value) {
        let groups = job.task_groups.into_iter().flatten().filter(Group::is_scaled_to_nothing);
        for group in groups {
            let of_tasks = group.tasks.into_iter().flatten().flat_map(|task| task.services.into_iter().flatten());
            let services = group.services.into_iter().flatten().chain(of_tasks);
            for service in services.filter(|service| service.provider == "nomad") {
                let tags = trimmed(service.tags.as_deref());
                if filter.may_concern(&tags) {
                    let id = format!("{}-{}-{}-{}", job.namespace, job.name, group.name, service.name);
                    instances.push(Instance { name: service.name, id, tags, is_empty: true, ..Instance::default() });
                }
            }
        }
    }
    Ok(instances)
}

impl Group {
    fn is_scaled_to_nothing(&self) -> bool {
        let scales = self.scaling.as_ref().and_then(|scaling| scaling.enabled) == Some(true);
        scales && self.count == Some(0)
    }
}
