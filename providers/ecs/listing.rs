//! [`Lister`]: from clusters to the containers of their running tasks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use trafficcop_config::settings::discovery::Ecs as Settings;
use trafficcop_remote::RemoteError;

use crate::aws::{Aws, Service};
use crate::instance::{Instance, Port};

/// How many things one question may name.
const AT_ONCE: usize = 100;
/// Pages of one list; more than anybody has.
const MOST_PAGES: usize = 1000;

/// See the module.
pub(crate) struct Lister {
    aws: Aws,
    settings: Settings,
    /// Definitions never change; those in use are kept.
    definitions: BTreeMap<String, Definition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default, alias = "clusterArns", alias = "taskArns")]
    arns: Vec<String>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(rename = "taskArn")]
    arn: String,
    #[serde(default)]
    group: String,
    #[serde(rename = "taskDefinitionArn", default)]
    definition: String,
    #[serde(default)]
    container_instance_arn: Option<String>,
    #[serde(default)]
    last_status: String,
    #[serde(default)]
    health_status: String,
    #[serde(default)]
    attachments: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    network_bindings: Vec<Mapping>,
    #[serde(default)]
    network_interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interface {
    #[serde(default)]
    private_ipv4_address: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    #[serde(default)]
    container_port: u32,
    #[serde(default)]
    host_port: u32,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(default)]
    network_mode: String,
    #[serde(default)]
    container_definitions: Vec<ContainerDefinition>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerDefinition {
    #[serde(default)]
    name: String,
    #[serde(default)]
    docker_labels: BTreeMap<String, String>,
    #[serde(default)]
    port_mappings: Vec<Mapping>,
}

/// Where a container instance is, and whether it runs.
struct Machine {
    address: String,
    is_running: bool,
}

impl Lister {
    pub(crate) fn new(aws: Aws, settings: &Settings) -> Self {
        Self { aws, settings: settings.clone(), definitions: BTreeMap::new() }
    }

    /// The containers that may be taken, in an order that is always the same.
    pub(crate) async fn list(&mut self) -> Result<Vec<Instance>, RemoteError> {
        let clusters = if self.settings.auto_discover_clusters {
            self.pages("ListClusters", json!({})).await?
        } else {
            self.settings.clusters.clone()
        };
        let (mut instances, mut used) = (Vec::new(), BTreeMap::new());
        for cluster in clusters {
            let tasks = self.tasks(&cluster).await?;
            let machines = self.machines(&cluster, &tasks).await?;
            for task in &tasks {
                let definition = self.definition(&task.definition).await?;
                instances.extend(task.containers.iter().filter_map(|container| {
                    let found = definition.container_definitions.iter().find(|found| found.name == container.name)?;
                    instance(task, container, &definition, found, &machines)
                }));
                used.insert(task.definition.clone(), definition);
            }
        }
        self.definitions = used;
        instances.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(instances)
    }

    async fn pages(&mut self, action: &str, mut question: Value) -> Result<Vec<String>, RemoteError> {
        let mut arns = Vec::new();
        for _ in 0..MOST_PAGES {
            let page: Page = self.aws.ask(Service::Ecs, action, &question).await?;
            arns.extend(page.arns);
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => question["nextToken"] = json!(token),
                None => break,
            }
        }
        Ok(arns)
    }

    async fn tasks(&mut self, cluster: &str) -> Result<Vec<Task>, RemoteError> {
        #[derive(Deserialize)]
        struct Described {
            #[serde(default)]
            tasks: Vec<Task>,
        }
        let arns = self.pages("ListTasks", json!({"cluster": cluster, "desiredStatus": "RUNNING"})).await?;
        let mut tasks = Vec::new();
        for some in arns.chunks(AT_ONCE) {
            let question = json!({"cluster": cluster, "tasks": some});
            let described: Described = self.aws.ask(Service::Ecs, "DescribeTasks", &question).await?;
            tasks.extend(described.tasks);
        }
        if self.settings.healthy_tasks_only {
            tasks.retain(|task| task.health_status == "HEALTHY");
        }
        Ok(tasks)
    }

    async fn definition(&mut self, arn: &str) -> Result<Definition, RemoteError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Described {
            task_definition: Definition,
        }
        if let Some(known) = self.definitions.get(arn) {
            return Ok(known.clone());
        }
        let question = json!({"taskDefinition": arn});
        let described: Described = self.aws.ask(Service::Ecs, "DescribeTaskDefinition", &question).await?;
        self.definitions.insert(arn.to_owned(), described.task_definition.clone());
        Ok(described.task_definition)
    }

    /// By the name of the container instance.
    async fn machines(&mut self, cluster: &str, tasks: &[Task]) -> Result<BTreeMap<String, Machine>, RemoteError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Described {
            #[serde(default)]
            container_instances: Vec<ContainerInstance>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ContainerInstance {
            container_instance_arn: String,
            #[serde(default)]
            ec2_instance_id: String,
        }
        let mut arns: Vec<_> = tasks.iter().filter_map(|task| task.container_instance_arn.clone()).collect();
        arns.sort();
        arns.dedup();
        let mut names = BTreeMap::new();
        for some in arns.chunks(AT_ONCE) {
            let question = json!({"cluster": cluster, "containerInstances": some});
            let described: Described = self.aws.ask(Service::Ecs, "DescribeContainerInstances", &question).await?;
            let shown = described.container_instances.into_iter();
            names.extend(shown.map(|shown| (shown.ec2_instance_id, shown.container_instance_arn)));
        }
        let (managed, of_ec2): (Vec<_>, Vec<_>) = names.keys().partition(|id| id.starts_with("mi-"));
        let mut machines = Vec::new();
        for some in of_ec2.chunks(AT_ONCE) {
            machines.extend(self.of_ec2(some).await?);
        }
        if self.settings.ecs_anywhere {
            for some in managed.chunks(AT_ONCE) {
                machines.extend(self.of_ssm(some).await?);
            }
        }
        Ok(machines.into_iter().filter_map(|(id, machine)| Some((names.get(&id)?.clone(), machine))).collect())
    }

    async fn of_ec2(&mut self, ids: &[&String]) -> Result<Vec<(String, Machine)>, RemoteError> {
        let numbered = |(number, id): (usize, &&String)| (format!("InstanceId.{}", number + 1), (*id).clone());
        let parameters: Vec<_> = ids.iter().enumerate().map(numbered).collect();
        let answer = self.aws.ask_ec2("DescribeInstances", &parameters).await?;
        let shown = answer.all(&["reservationSet", "item", "instancesSet", "item"]);
        let machine = |item: &crate::xml::Element| {
            let address = item.text(&["privateIpAddress"]).unwrap_or("").to_owned();
            let is_running = item.text(&["instanceState", "name"]) == Some("running");
            Some((item.text(&["instanceId"])?.to_owned(), Machine { address, is_running }))
        };
        Ok(shown.into_iter().filter_map(machine).collect())
    }

    /// Machines outside of Amazon's own house (ECS Anywhere).
    async fn of_ssm(&mut self, ids: &[&String]) -> Result<Vec<(String, Machine)>, RemoteError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Described {
            #[serde(default)]
            instance_information_list: Vec<Information>,
            #[serde(default)]
            next_token: Option<String>,
        }
        #[derive(Deserialize)]
        struct Information {
            #[serde(rename = "InstanceId")]
            id: String,
            #[serde(rename = "IPAddress", default)]
            address: String,
        }
        let mut question = json!({"Filters": [{"Key": "InstanceIds", "Values": ids}]});
        let mut machines = Vec::new();
        for _ in 0..MOST_PAGES {
            let page: Described = self.aws.ask(Service::Ssm, "DescribeInstanceInformation", &question).await?;
            let shown = page.instance_information_list.into_iter();
            // Whether such a machine runs is known by its task alone.
            machines.extend(shown.map(|shown| (shown.id, Machine { address: shown.address, is_running: true })));
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => question["NextToken"] = json!(token),
                None => break,
            }
        }
        Ok(machines)
    }
}

/// One container of a task, where it is known where it is and it is fit to be asked.
fn instance(
    task: &Task,
    container: &Container,
    definition: &Definition,
    found: &ContainerDefinition,
    machines: &BTreeMap<String, Machine>,
) -> Option<Instance> {
    let skip = |why: &str| tracing::debug!(task = task.arn, container = container.name, why, "Container is not taken.");
    let (address, mappings) = if definition.network_mode == "awsvpc" && !task.attachments.is_empty() {
        let Some(interface) = container.network_interfaces.first() else {
            skip("it has no network interface");
            return None;
        };
        if task.last_status != "RUNNING" || task.health_status == "UNHEALTHY" {
            skip("its task does not run, or is not healthy");
            return None;
        }
        (interface.private_ipv4_address.clone(), &found.port_mappings)
    } else {
        let Some(machine) = task.container_instance_arn.as_ref().and_then(|arn| machines.get(arn)) else {
            skip("it is not known where it runs");
            return None;
        };
        if !machine.is_running || (machine.address.is_empty() && task.last_status != "RUNNING") {
            skip("its machine does not run");
            return None;
        }
        (machine.address.clone(), &container.network_bindings)
    };
    if address.is_empty() {
        skip("it has no address");
        return None;
    }
    // Where host and container have one address, the port of the host may be left out.
    let port = |mapping: &Mapping| Port {
        container: mapping.container_port,
        host: if mapping.host_port == 0 { mapping.container_port } else { mapping.host_port },
    };
    let end = task.arn.char_indices().rev().nth(11).map_or(0, |(at, _)| at);
    Some(Instance {
        name: format!("{}-{}", task.group.replacen(':', "-", 1), container.name),
        id: task.arn[end..].to_owned(),
        labels: found.docker_labels.clone(),
        address,
        ports: mappings.iter().map(port).collect(),
    })
}
