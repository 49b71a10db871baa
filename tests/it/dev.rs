//! The tools for people who develop: `dev`, `bench`, and `explain` of a compose file.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use crate::support::client::get_with;
use crate::support::{Backend, until};

const BINARY: &str = env!("CARGO_BIN_EXE_trafficcop");
const DYNAMIC: &str = "
http:
  routers:
    users: {rule: 'Host(`a.test`) && PathPrefix(`/users`)', service: users}
    dead: {rule: Host(`dead.test`), service: dead}
  services:
    users: {loadBalancer: {servers: [{url: 'http://MOCK'}]}}
    dead: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
mocks:
  users:
    address: 127.0.0.1:0
    routes:
      /users: {status: 201, body: from the mock, headers: {X-Mock: yes}}
";

/// `trafficcop dev`, and everything that it said. It ends with the test.
struct Dev {
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _it_may_have_ended = self.process.kill();
        let _it_is_ours = self.process.wait();
    }
}

impl Dev {
    fn start(folder: &std::path::Path) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("dev").arg(folder).args(["--port", "0", "--api-port", "0"]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let said = Arc::new(Mutex::new(String::new()));
        let (theirs, out) = (Arc::clone(&said), process.stdout.take().expect("it is piped"));
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let mut said = theirs.lock().expect("nobody panics with it");
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { process, said }
    }

    fn said(&self) -> String {
        self.said.lock().expect("nobody panics with it").clone()
    }

    async fn says(&self, part: &str) {
        until(&format!("it says {part}"), || async { self.said().contains(part) }).await;
    }

    /// The address that stands behind these words.
    async fn address(&self, words: &str) -> SocketAddr {
        self.says(words).await;
        let said = self.said();
        let behind = said.split(words).nth(1).and_then(|rest| rest.split("http://").nth(1)).expect("it was said");
        let end = behind.find(['/', '\n']).unwrap_or(behind.len());
        behind[..end].parse().expect("an address")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dev_says_what_became_of_requests_and_explains_to_browsers() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it can be written");
    write("dynamic.yml", DYNAMIC);
    write("compose.yml", "services: {x: {image: y}}\n");
    write("broken-but-not-ours.yml", "a: {b: [\n");
    let dev = Dev::start(folder.path());
    let mock = dev.address("mock users answers at").await;
    write("dynamic.yml", &DYNAMIC.replace("MOCK", &mock.to_string()));
    let web = dev.address("web ").await;
    let is_there = || async { get_with(web, "a.test", "/users/1", "").await.status == 201 };
    until("the mock answers through the router", is_there).await;
    let answer = get_with(web, "a.test", "/users/1", "").await;
    assert_eq!((answer.body.as_str(), answer.header("X-Mock")), ("from the mock", Some("yes")));

    let browser = "Accept: text/html,application/xhtml+xml\r\n";
    let page = get_with(web, "b.test", "/<x>", browser).await;
    assert_eq!((page.status, page.header("Content-Type")), (404, Some("text/html; charset=utf-8")));
    for part in ["no_route", "router       none", "did you mean a.test?", "no router holds: the answer is 404"] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    let page = get_with(web, "dead.test", "/", browser).await;
    assert_eq!(page.status, 502);
    assert!(page.body.contains("connect_refused") && page.body.contains("router       dead@file"), "{}", page.body);
    assert_eq!(get_with(web, "b.test", "/", "").await.body, "404 page not found\n");

    dev.says("GET  a.test/users/1 → 201 in ").await;
    dev.says("router users@file → http://").await;
    dev.says("connect_refused: The server refused the connection.").await;
    dev.says("no_route: No router of the entry point matches.").await;
    write("dynamic.yml", &DYNAMIC.replace("Host(`a.test`)", "Hots(`a.test`)").replace("MOCK", &mock.to_string()));
    dev.says("there is no matcher `Hots`; did you mean `Host`?").await;
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(BINARY).args(arguments).output().expect("the binary starts");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench_counts_what_is_answered() {
    let back = Backend::start("back").await;
    let bench = async |path: &str, more: &'static [&'static str]| {
        let url = format!("{}{path}", back.url());
        tokio::task::spawn_blocking(move || run(&[&["bench", &url, "--connections", "2"], more].concat()))
            .await
            .expect("it ends")
    };
    let (code, text) = bench("/", &["--seconds", "1", "--rate", "40"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("status    200: 40\n") && text.contains("latency   p50 "), "{text}");
    let (code, text) = bench("/status/503", &["--seconds", "0.2"]).await;
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(run(&["bench", "http://127.0.0.1:1/"]).0, Some(2));
}

const COMPOSE: &str = "
services:
  proxy:
    image: traefik:v3.7
    command:
      - --providers.docker.exposedbydefault=false
      - --entrypoints.web.address=:80
  web:
    image: web
    expose: ['8080']
    labels:
      traefik.enable: true
      traefik.http.routers.web.rule: Host(`${COMPOSE_TEST_HOST:-web.test}`)
  blog:
    image: blog
    labels: ['traefik.http.routers.blog.rule=Host(`blog.test`)']
";

#[test]
fn explain_reads_a_compose_file() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let path = folder.path().join("docker-compose.yml");
    std::fs::write(&path, COMPOSE).expect("it can be written");
    let path = path.to_str().expect("a path of ours is text");
    let (code, text) = run(&["explain", "http://web.test/", path]);
    assert_eq!(code, Some(0), "{text}");
    for part in ["entry point  web", "router       web@docker", "http://web:8080: up"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let (code, text) = run(&["explain", "http://blog.test/", path]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("traefik.enable is not set"), "{text}");
}
