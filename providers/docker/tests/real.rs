//! Against a real engine. The test script starts one; without it this test says so and proves nothing.

use std::path::Path;
use std::process::Command;

use trafficcop_config::settings::discovery::Docker as Settings;

use super::Watched;

const SOCKET: &str = "/var/run/docker.sock";
const IMAGE: &str = "trafficcop-test-sleep";

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("the docker program runs");
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Nothing can be pulled, so the image is a static busybox and nothing else.
fn build_image() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("/bin/busybox", folder.path().join("busybox")).expect("busybox-static is installed");
    let file = "FROM scratch\nCOPY busybox /bin/busybox\nENTRYPOINT [\"/bin/busybox\", \"sleep\", \"600\"]\n";
    std::fs::write(folder.path().join("Dockerfile"), file).unwrap();
    docker(&["build", "--quiet", "--tag", IMAGE, folder.path().to_str().unwrap()]);
}

/// Removes a container when the test ends, however it ends.
struct Running(String);

impl Running {
    fn start(project: &str, name: &str, labels: &[&str]) -> Self {
        let name = format!("{project}-{name}");
        let mark = format!("{project}=yes");
        let mut arguments = vec!["run", "--detach", "--name", &name, "--expose", "80", "--label", &mark];
        for label in labels {
            arguments.extend(["--label", *label]);
        }
        arguments.push(IMAGE);
        docker(&arguments);
        Self(name)
    }

    fn address(&self) -> String {
        docker(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", &self.0])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containers_come_and_go() {
    if !Path::new(SOCKET).exists() {
        eprintln!("SKIPPED: no Docker engine listens on {SOCKET}");
        return;
    }
    build_image();
    let project = format!("trafficcop-{}", std::process::id());
    let labels = ["traefik.http.routers.shop.rule=Path(`/`)", "traefik.http.services.shop.loadbalancer.server.port=81"];
    let first = Running::start(&project, "first", &labels);
    let one = format!("shop = http://{}:81", first.address());
    let settings = Settings { constraints: format!("Label(`{project}`, `yes`)"), ..Settings::default() };
    let mut watched = Watched::start(&settings, None);
    let route = "shop: Path(`/`) -> shop";
    assert_eq!(watched.next().await, [route, &one]);

    let second = Running::start(&project, "second", &labels);
    let both = format!("{one} http://{}:81", second.address());
    watched.until(&[route, &both]).await;

    // It ignores SIGTERM as the first process of its container, and leaves nevertheless at once.
    docker(&["kill", "--signal", "TERM", &second.0]);
    watched.until(&[route, &one]).await;
    docker(&["kill", &first.0]);
    watched.until(&[route, "shop = "]).await;
    docker(&["start", &first.0]);
    let again = format!("shop = http://{}:81", first.address());
    watched.until(&[route, &again]).await;

    let typo = Running::start(&project, "typo", &["traefik.http.routers.x.rul=Path(`/`)"]);
    let problem = format!(
        "! container {}, label traefik.http.routers.x.rul: http.routers.x.rul: field not found, node: rul (did you mean rule?)",
        typo.0
    );
    watched.until(&[route, &again, &problem]).await;
}
