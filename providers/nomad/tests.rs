//! Nomad's answers, as its documentation shows them, and what is published of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use trafficcop_provider::{Event, Provider, Publisher};

use super::{Nomad, NomadSettings, Settings};

/// Services by name, each with its instances; and the index.
type World = (u64, Vec<(&'static str, Value)>);

/// Answers as Nomad does; a question with the index in force waits for the next.
async fn server(world: watch::Receiver<World>, asked: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut world, asked) = (world.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    request.push(byte);
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let target = request.split(' ').nth(1).unwrap_or("").to_owned();
                asked.lock().expect("no panic").push(request.clone());
                let index = target.split(['?', '&']).find_map(|part| part.strip_prefix("index=")?.parse::<u64>().ok());
                if let Some(index) = index {
                    let _closing = world.wait_for(|(now, _)| *now > index).await;
                }
                let (index, services) = world.borrow().clone();
                let path = target.split('?').next().unwrap_or("");
                let jobs = ["/v1/jobs", "/v1/job/shop%2Fidle"]
                    .iter()
                    .position(|known| *known == path)
                    .map(|at| job()[at].clone());
                let body = match path.strip_prefix("/v1/service/") {
                    _ if jobs.is_some() => jobs,
                    Some(name) => services.iter().find(|(known, _)| *known == name).map(|(_, shown)| shown.clone()),
                    None => Some(json!([{"Namespace": "default", "Services": services.iter().map(|(name, shown)| {
                        json!({"ServiceName": name, "Tags": shown[0]["Tags"]})
                    }).collect::<Vec<_>>()}])),
                };
                let body = body.unwrap_or(json!([])).to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nX-Nomad-Index: {index}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _client_may_be_gone = stream.write_all((head + &body).as_bytes()).await;
            });
        }
    });
    address
}

fn registration(name: &str, port: u16, tags: &[&str]) -> Value {
    json!([{
        "Address": "10.0.0.1", "AllocID": "177160af-26f6-619f-9c9f-5e46d1104395", "CreateIndex": 14, "Datacenter": "dc1",
        "ID": format!("_nomad-task-{name}"), "JobID": "example", "ModifyIndex": 24, "Namespace": "default",
        "NodeID": "7406e90b-de16-d118-80fe-60d0f2730cb3", "Port": port, "ServiceName": name, "Tags": tags,
    }])
}

async fn next(events: &mut mpsc::Receiver<Event>) -> Vec<String> {
    match timeout(Duration::from_secs(10), events.recv()).await.expect("an event in time").expect("it runs") {
        Event::Configuration { configuration, .. } => {
            let http = configuration.http.clone().unwrap_or_default();
            let routers = http.routers.iter().map(|(name, router)| format!("{name} {}", router.rule.value));
            let servers = http.services.values().filter_map(|service| service.load_balancer.as_ref());
            routers.chain(servers.flat_map(|it| &it.servers).map(|server| server.url.clone())).collect()
        }
        Event::Refused { errors, .. } => vec![errors.to_string()],
    }
}

#[tokio::test]
async fn services_come_change_and_go() {
    let (change, world) = watch::channel((7, vec![("web", registration("web", 22_000, &[" traefik.enable=true "]))]));
    let asked = Arc::default();
    let address = server(world, Arc::clone(&asked)).await;
    let mut nomad = NomadSettings { watch: true, exposed_by_default: false, stale: true, ..NomadSettings::default() };
    nomad.endpoint.address = address;
    nomad.endpoint.token = "secret".into();
    let settings = Settings { nomad, namespace: Some("shop".into()) };
    let mut provider = Nomad::new(settings).expect("the settings are right");
    let (send, mut events) = mpsc::channel(8);
    let out = Publisher::new("nomad-shop", send, Arc::new(|_, _| Ok(())));
    tokio::spawn(async move { provider.run(&out).await });

    assert_eq!(next(&mut events).await, ["web Host(`web`)", "http://10.0.0.1:22000"]);
    let tags = ["traefik.enable=true", "traefik.http.routers.r.rule=Path(`/`)"];
    change
        .send((9, vec![("web", registration("web", 22_001, &tags)), ("db", registration("db", 1, &[]))]))
        .expect("it runs");
    assert_eq!(next(&mut events).await, ["r Path(`/`)", "http://10.0.0.1:22001"]);
    change.send((12, vec![])).expect("it runs");
    assert_eq!(next(&mut events).await, [""; 0]);

    let asked = asked.lock().expect("no panic").clone();
    assert!(asked.iter().all(|request| request.to_lowercase().contains("x-nomad-token: secret")), "{asked:?}");
    assert!(asked.iter().all(|request| request.contains("stale=") && request.contains("namespace=shop")), "{asked:?}");
    assert!(!asked.iter().any(|request| request.contains("/v1/service/db")), "it is not exposed");
}

/// A list of jobs, and a job one of whose groups was scaled to nothing.
fn job() -> [Value; 2] {
    let service = |name: &str| json!({"Name": name, "Provider": "nomad", "Tags": [format!(" traefik.http.routers.{name}.rule=Path(`/`) ")]});
    let of_consul = json!({"Name": "elsewhere", "Provider": "consul", "Tags": []});
    let group = |count: u64, scales: bool, services: Value, tasks: Value| json!({"Name": "g", "Count": count, "Scaling": {"Enabled": scales}, "Services": services, "Tasks": tasks});
    let groups = [
        group(0, true, json!([service("idle"), of_consul]), json!([{"Name": "t", "Services": [service("task")]}])),
        group(1, true, json!([service("busy")]), json!(null)),
        group(0, false, json!([service("off")]), json!([])),
        json!({"Name": "plain", "Count": 0, "Services": null, "Tasks": null}),
    ];
    let job = json!({"ID": "shop/idle", "Name": "shop/idle", "Namespace": "default", "TaskGroups": groups});
    [json!([{"ID": "shop/idle", "Name": "shop/idle", "Namespace": "default"}]), job]
}

#[tokio::test]
async fn services_scaled_to_nothing_are_kept_where_that_is_wished() {
    let (_change, world) = watch::channel((7, vec![("web", registration("web", 22_000, &[]))]));
    let mut nomad = NomadSettings { watch: true, allow_empty_services: true, ..NomadSettings::default() };
    nomad.endpoint.address = server(world, Arc::default()).await;
    let mut provider = Nomad::new(Settings { nomad, namespace: None }).expect("the settings are right");
    let (send, mut events) = mpsc::channel(8);
    let out = Publisher::new("nomad", send, Arc::new(|_, _| Ok(())));
    tokio::spawn(async move { provider.run(&out).await });
    assert_eq!(
        next(&mut events).await,
        ["idle Path(`/`)", "task Path(`/`)", "web Host(`web`)", "http://10.0.0.1:22000"]
    );
}
