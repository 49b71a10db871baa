//! Rate limits over a real Redis: shared by two instances, also over a cluster, over TLS as a user, and with Redis killed
//! under load.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::client::get_with;
use crate::support::{Backend, Router, until};

/// A Redis of ours; it ends with the test.
struct Redis {
    process: Child,
    port: u16,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _it_may_have_ended = self.process.kill();
        let _it_is_ours = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

impl Redis {
    /// None, in words, where redis-server is not installed.
    async fn start(port: u16, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]).args(arguments);
        if !arguments.contains(&"--tls-port") {
            command.args(["--port", &port.to_string()]);
        }
        let Ok(process) = command.stdout(Stdio::null()).spawn() else {
            eprintln!("SKIPPED: redis-server is not installed (tests/run installs it)");
            return None;
        };
        let redis = Self { process, port };
        until("Redis listens", || async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() }).await;
        Some(redis)
    }
}

fn dynamic(back: &Backend, limit: &str) -> String {
    format!(
        "http:
  routers: {{limited: {{rule: Host(`a.test`), service: s, middlewares: [limit]}}}}
  middlewares: {{limit: {{rateLimit: {{{limit}}}}}}}
  services: {{s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}}}
",
        back.url()
    )
}

/// Asks one router after the other until the time is over, and counts the answers of each status.
async fn load(routers: &[&Router], time: Duration) -> (usize, usize, usize) {
    let begun = Instant::now();
    let (mut passed, mut limited, mut failed) = (0, 0, 0);
    while begun.elapsed() < time {
        let both = routers.iter().map(|router| router.get("a.test", "/"));
        for answer in futures_util::future::join_all(both).await {
            match answer.status {
                200 => passed += 1,
                429 => limited += 1,
                500 => failed += 1,
                other => panic!("nobody answers {other}"),
            }
        }
    }
    (passed, limited, failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_share_a_limit() {
    let Some(redis) = Redis::start(free_port(), &[]).await else { return };
    let back = Backend::start("back").await;
    for (limit, expected) in [
        // The burst, and what flows in while the load lasts.
        ("average: 60, burst: 30", Box::new(|time: f64| 30.0 + 60.0 * time) as Box<dyn Fn(f64) -> f64>),
        ("average: 150, period: 100000h, algorithm: fixedWindow", Box::new(|_| 150.0)),
        ("average: 150, period: 100000h, algorithm: slidingWindow", Box::new(|_| 150.0)),
    ] {
        let limit = format!(
            "{limit}, sourceCriterion: {{requestHost: true}}, redis: {{endpoints: ['127.0.0.1:{}']}}",
            redis.port
        );
        let (one, two) = (Router::start(&dynamic(&back, &limit)).await, Router::start(&dynamic(&back, &limit)).await);
        flush(redis.port);
        one.answers(200, "a.test", "/").await;
        two.answers(200, "a.test", "/").await;
        flush(redis.port);
        let begun = Instant::now();
        let (passed, limited, failed) = load(&[&one, &two], Duration::from_millis(2500)).await;
        let expected = expected(begun.elapsed().as_secs_f64());
        let passed = passed as f64;
        eprintln!("{limit}: {passed} passed, {expected:.1} expected, {limited} limited");
        assert_eq!(failed, 0);
        assert!((passed / expected - 1.0).abs() < 0.05, "{limit}: {passed} passed, {expected} expected");
        assert!(limited > 0);
        one.app.stop().await;
        two.app.stop().await;
    }
}

/// Three masters that share the slots. None, in words, where redis-server is not installed.
async fn cluster(folder: &Path) -> Option<Vec<Redis>> {
    let mut nodes = Vec::new();
    for number in 0..3 {
        let (bus, file) = (free_port().to_string(), format!("nodes-{number}.conf"));
        let folder = folder.to_str().expect("a folder of ours is text");
        let flags = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &bus];
        let places = ["--dir", folder, "--cluster-config-file", &file];
        nodes.push(Redis::start(free_port(), &[&flags[..], &places].concat()).await?);
    }
    let mut create = Command::new("redis-cli");
    create.args(["--cluster", "create", "--cluster-yes"]);
    create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
    assert!(create.output().expect("redis-cli comes with redis-server").status.success());
    let is_well = |port: u16| {
        let info = Command::new("redis-cli").args(["-p", &port.to_string(), "cluster", "info"]).output();
        info.is_ok_and(|info| String::from_utf8_lossy(&info.stdout).contains("cluster_state:ok"))
    };
    until("the cluster is well", || async { nodes.iter().all(|node| is_well(node.port)) }).await;
    Some(nodes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_share_a_limit_over_a_cluster() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let Some(nodes) = cluster(folder.path()).await else { return };
    let back = Backend::start("back").await;
    let endpoints: Vec<_> = nodes.iter().map(|node| format!("'127.0.0.1:{}'", node.port)).collect();
    let by_header = format!(
        "average: 40, period: 100000h, algorithm: fixedWindow, sourceCriterion: {{requestHeaderName: X-Who}}, \
         redis: {{endpoints: [{}]}}",
        endpoints.join(", ")
    );
    let (one, two) =
        (Router::start(&dynamic(&back, &by_header)).await, Router::start(&dynamic(&back, &by_header)).await);
    one.answers(200, "a.test", "/").await;
    two.answers(200, "a.test", "/").await;
    // Sources whose keys lie on different nodes.
    for who in ["ann", "bob", "cid", "dee", "eve"] {
        let mut passed = 0;
        for number in 0..60 {
            let router = if number % 2 == 0 { &one } else { &two };
            let answer = get_with(router.web(), "a.test", "/", &format!("X-Who: {who}\r\n")).await;
            assert!([200, 429].contains(&answer.status), "{answer:?}");
            passed += usize::from(answer.status == 200);
        }
        assert_eq!(passed, 40, "{who}");
    }
    let keys = |node: &Redis| {
        let output = Command::new("redis-cli").args(["-p", &node.port.to_string(), "dbsize"]).output();
        String::from_utf8_lossy(&output.expect("redis-cli comes with redis-server").stdout).trim().to_owned()
    };
    let spread: Vec<_> = nodes.iter().map(keys).collect();
    assert!(spread.iter().filter(|count| *count != "0").count() > 1, "all keys lie on one node: {spread:?}");
    one.app.stop().await;
    two.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_redis_dies_requests_are_denied_or_not_as_asked() {
    let Some(mut redis) = Redis::start(free_port(), &[]).await else { return };
    let port = redis.port;
    let back = Backend::start("back").await;
    let limit = |deny: &str| format!("average: 100000, burst: 1000, redis: {{endpoints: ['127.0.0.1:{port}']{deny}}}");
    let closed = Router::start(&dynamic(&back, &limit(""))).await;
    let open = Router::start(&dynamic(&back, &limit(", denyOnError: false"))).await;
    closed.answers(200, "a.test", "/").await;
    open.answers(200, "a.test", "/").await;
    let (is_closed, is_open) = tokio::join!(async { load(&[&closed], Duration::from_secs(1)).await }, async {
        let before = load(&[&open], Duration::from_millis(300)).await;
        redis.process.kill().expect("it runs");
        redis.process.wait().expect("it ends");
        let after = load(&[&open], Duration::from_millis(700)).await;
        (before.0 + after.0, before.2 + after.2)
    });
    assert!(is_closed.0 > 0 && is_closed.2 > 0, "{is_closed:?}");
    assert!(is_open.0 > 0 && is_open.1 == 0, "{is_open:?}");
    let answer = closed.get("a.test", "/").await;
    assert_eq!((answer.status, answer.body.as_str()), (500, "Could not insert/update bucket\n"));
    let begun = Instant::now();
    let _again = Redis::start(port, &[]).await;
    closed.answers(200, "a.test", "/").await;
    eprintln!("closed again to open: {:?}; while dead {is_closed:?}, {is_open:?}", begun.elapsed());
    closed.app.stop().await;
    open.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_users_and_databases() {
    let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        path.display().to_string()
    };
    let (certificate, key) = (write("c.pem", made.cert.pem()), write("k.pem", made.signing_key.serialize_pem()));
    let port = free_port();
    let tls = ["--port", "0", "--tls-port", &port.to_string(), "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let more = [
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
        "--user",
        "limits",
        "on",
        ">secret",
        "~*",
        "+@all",
    ];
    let arguments: Vec<_> = tls.iter().chain(&more).copied().collect();
    let Some(_redis) = Redis::start(port, &arguments).await else { return };
    let back = Backend::start("back").await;
    let check = async |tls: &str, password: &str, expected: &[u16]| {
        let limit = format!(
            "average: 1, period: 1h, redis: {{endpoints: ['localhost:{port}'], tls: {{{tls}}}, username: limits, \
             password: {password}, db: 3}}"
        );
        let router = Router::start(&dynamic(&back, &limit)).await;
        router.answers(expected[0], "a.test", "/").await;
        for status in &expected[1..] {
            assert_eq!(router.get("a.test", "/").await.status, *status, "{tls} {password}");
        }
        router.app.stop().await;
    };
    check(&format!("ca: '{certificate}'"), "secret", &[200, 429]).await;
    check("insecureSkipVerify: true", "secret", &[429]).await;
    check("insecureSkipVerify: true", "wrong", &[500]).await;
    check("", "secret", &[500]).await;
    assert_eq!(keys(port, &certificate), "rate:limit@file:127.0.0.1\n");
}

/// Everybody begins with nothing.
fn flush(port: u16) {
    let flushed = Command::new("redis-cli").args(["-p", &port.to_string(), "flushall"]).output();
    assert!(flushed.expect("redis-cli comes with redis-server").status.success());
}

/// The keys of database 3.
fn keys(port: u16, certificate: &str) -> String {
    let mut command = Command::new("redis-cli");
    command.args(["-h", "localhost", "-p", &port.to_string(), "--tls", "--cacert", certificate, "-n", "3"]);
    command.args(["--user", "limits", "--pass", "secret", "--no-auth-warning", "keys", "*"]);
    let output = command.output().expect("redis-cli comes with redis-server");
    assert!(Path::new(certificate).exists());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
