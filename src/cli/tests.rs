//! The command line, without a router behind it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use trafficcop_config::settings::{Loaded, Source};

use super::invocation::{Action, Invocation};
use super::{Start, check, health, help, source, version, wget};

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn read(text: &str) -> Invocation {
    Invocation::read(&words(text)).unwrap()
}

#[track_caller]
fn takes(text: &str, action: Action, flags: &str) {
    let invocation = read(text);
    assert_eq!((invocation.action, invocation.flags), (action, words(flags)), "{text}");
}

#[test]
fn the_first_word_may_be_a_command() {
    takes("", Action::Run, "");
    takes("--ping --api", Action::Run, "--ping --api");
    takes("traefik --ping", Action::Run, "--ping");
    takes("/usr/local/bin/traefik version", Action::Version, "");
    takes("version", Action::Version, "");
    takes("healthcheck --ping", Action::Health, "--ping");
    takes("check --ping", Action::Check, "--ping");
    takes("--ping --help", Action::Help, "--ping");
    takes("-h", Action::Help, "");
    let refused = |text: &str| Invocation::read(&words(text)).unwrap_err();
    assert_eq!(refused("serve"), "command not found: serve");
    assert_eq!(refused("healthchek"), "command not found: healthchek (did you mean healthcheck?)");
}

#[test]
fn values_may_be_words_of_their_own() {
    takes("--log.level DEBUG --ping", Action::Run, "--log.level=DEBUG --ping");
    takes("--log.levl DEBUG --ping", Action::Run, "--log.levl=DEBUG --ping");
    takes("--entrypoints.web.address :80", Action::Run, "--entrypoints.web.address=:80");
    let invocation = read("--api.insecure true --log.level=DEBUG");
    assert_eq!((invocation.flags, invocation.stray), (words("--api.insecure"), Some("true".to_owned())));
}

#[test]
fn ours_are_understood() {
    for text in ["-c a.yml", "-c=a.yml", "--configFile a.yml", "--CONFIGFILE=a.yml", "-configfile=a.yml"] {
        assert_eq!(read(text).config_file.as_deref(), Some("a.yml"), "{text}");
    }
    assert_eq!(Invocation::read(&words("-c --ping")).unwrap_err(), "flag needs an argument: -c");
    let invocation = read("-c a.yml --validate");
    assert_eq!((invocation.action, invocation.config_file.as_deref()), (Action::Check, Some("a.yml")));
    assert!(read("--debug").debug);
    let invocation = read("check a.yml dir --json");
    assert_eq!((invocation.operands, invocation.json), (words("a.yml dir"), true));
    assert_eq!(read("demo backend --name one").operands, words("backend --name one"));
}

/// In an empty folder, with these variables.
fn load(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let start = Start { program: "traefik".into(), arguments: words(text), variables };
    source::load(&read(text), &start).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn sources_exclude_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_string_lossy().into_owned();
    let variable = ("TRAEFIK_ENTRYPOINTS_ENV_ADDRESS", ":3");
    let names = |loaded: &Loaded| loaded.settings.entry_points.keys().cloned().collect::<Vec<_>>();

    let loaded = load("", &[]);
    assert_eq!((loaded.source.clone(), names(&loaded)), (Source::Defaults, words("http")));
    let loaded = load("", &[variable, ("TRAEFIK_VERSION", "3")]);
    assert_eq!((loaded.source.clone(), names(&loaded)), (Source::Variables, words("env")));
    let loaded = load("--entrypoints.flag.address=:2", &[variable]);
    assert_eq!((loaded.source.clone(), names(&loaded)), (Source::Flags, words("flag")));
    let file = write(folder.path(), "traefik.yml", "entryPoints: {file: {address: ':1'}}");
    let loaded = load("--entrypoints.flag.address=:2", &[variable, ("XDG_CONFIG_HOME", &home)]);
    assert_eq!((loaded.source.clone(), names(&loaded)), (Source::File(file.into()), words("file")));
}

#[test]
fn files_are_searched_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let variables = [("XDG_CONFIG_HOME", path("xdg")), ("HOME", path("home"))];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for name in
        ["home/.config/trafficcop.yaml", "home/.config/traefik.yml", "xdg/traefik.yml", "xdg/traefik.toml", "own.yaml"]
    {
        let text = if name.ends_with("toml") { "[ping]\n" } else { "ping: {}" };
        let file = write(folder.path(), name, text);
        let flags = if name == "own.yaml" { format!("--configfile={file}") } else { String::new() };
        assert_eq!(load(&flags, &variables).source, Source::File(file.into()), "{name} comes before all above it");
    }
}

#[test]
fn a_named_file_that_is_not_there_is_passed_over_with_a_warning() {
    let loaded = load("--configfile=/nowhere/traefik.yml --ping", &[]);
    assert_eq!(loaded.source, Source::Flags);
    let warning = "flag --configFile: the file /nowhere/traefik.yml does not exist and was passed over";
    assert_eq!(loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [warning]);
}

#[test]
fn debug_works_whatever_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.yml", "log: {format: json}");
    let log = load(&format!("--debug -c {file}"), &[]).settings.log.unwrap();
    assert_eq!((log.level.as_str(), log.format.as_str()), ("DEBUG", "json"));
}

#[test]
fn the_version_comes_first() {
    let text = version::text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(concat!("Version:      ", env!("CARGO_PKG_VERSION"))));
    let names: Vec<&str> = lines.filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["Codename", "Rust version", "Built", "OS/Arch"]);
}

#[test]
fn help_lists_every_option() {
    let text = help::text();
    assert!(text.contains("\n    --entrypoints.<name>.http.tls.domains[n].main  (Default: \"\")\n"));
    assert!(text.contains("\n    --providers.docker  (Default: \"false\")\n        Labels of Docker containers.\n"));
    assert!(text.lines().all(|line| line.chars().count() <= 103 || line.starts_with("    --")), "lines fit a terminal");
}

/// Answers one connection with `answer`, and says where.
fn server(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        let mut reader = BufReader::new(&stream);
        while reader.read_line(&mut request).unwrap() > 2 {}
        (&stream).write_all(answer.as_bytes()).unwrap();
        request.lines().next().unwrap_or_default().to_owned()
    });
    (address, thread)
}

/// What the health check says of a server with this answer. `{}` stands for its address.
#[track_caller]
fn healthcheck(answer: &'static str, expected: &str) {
    let (address, thread) = server(answer);
    let mut out = Vec::new();
    let flags = format!("--ping.entrypoint=web --entrypoints.web.address={address}");
    health::run(Ok(load(&flags, &[])), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), expected.replace("{}", &address));
    assert_eq!(thread.join().unwrap(), "HEAD /ping HTTP/1.0");
}

#[test]
fn the_health_check_says_what_it_found() {
    healthcheck("HTTP/1.1 200 OK\r\n\r\n", "OK: http://{}/ping\n");
    healthcheck("HTTP/1.1 503 Service Unavailable\r\n\r\n", "Bad healthcheck status: 503 Service Unavailable\n");
    healthcheck("nonsense\r\n\r\n", "Error calling healthcheck: Head \"http://{}/ping\": malformed HTTP response\n");
}

#[test]
fn the_health_check_says_what_is_missing() {
    let check = |flags: &str, expected: &str| {
        let mut out = Vec::new();
        health::run(Ok(load(flags, &[])), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("Error calling healthcheck: {expected}\n"));
    };
    check("--api", "please enable `ping` to use health check");
    check("--entrypoints.a.address=:1 --ping.entrypoint=web", "ping: missing web entry point");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("Head \"http://{free}/ping\": dial tcp {free}: connect: connection refused");
    check(&format!("--ping.entrypoint=web --entrypoints.web.address={free}"), &refused);
}

#[track_caller]
fn fetch(arguments: &str, answer: &'static str, request: &str, code: u8, printed: &str) {
    let (address, thread) = server(answer);
    let mut out = Vec::new();
    let arguments = words(&arguments.replace("URL", &format!("http://{address}/ping")));
    let found = wget::run(&arguments, &mut out);
    assert_eq!(format!("{found:?}"), format!("{:?}", std::process::ExitCode::from(code)));
    assert_eq!((thread.join().unwrap().as_str(), String::from_utf8(out).unwrap().as_str()), (request, printed));
}

#[test]
fn wget_probes() {
    let (head, get) = ("HEAD /ping HTTP/1.0", "GET /ping HTTP/1.0");
    fetch("-q --spider URL", "HTTP/1.1 200 OK\r\n\r\n", head, 0, "");
    fetch("-q --spider URL", "HTTP/1.1 503 No\r\n\r\n", head, 1, "");
    fetch("-qO- URL", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", get, 0, "OK");
    fetch("--no-verbose --tries=1 -O - URL", "HTTP/1.1 404 Not Found\r\n\r\nno", get, 1, "");
}

/// Runs `check` on files, each given as name and text. Gives exit code and output; the folder is shown as `DIR`.
fn run_check(files: &[(&str, &str)], arguments: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    let dir = folder.path().to_string_lossy().into_owned();
    let arguments = arguments.replace("DIR", &dir);
    let mut out = Vec::new();
    let start = Start { arguments: words(&arguments), ..Start::default() };
    let code = check::run(&read(&arguments), &start, &mut out);
    (format!("{code:?}"), String::from_utf8(out).unwrap().replace(&dir, "DIR"))
}

#[track_caller]
fn checks(files: &[(&str, &str)], arguments: &str, code: u8, expected: &[&str]) {
    let (found, out) = run_check(files, arguments);
    assert_eq!(found, format!("{:?}", std::process::ExitCode::from(code)), "{out}");
    for part in expected {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
}

#[test]
fn check_looks_at_static_and_dynamic_files() {
    let fine = "http: {routers: {r: {rule: 'Path(`/`)', service: s}}, services: {s: {loadBalancer: {servers: [{url: 'http://a'}]}}}}";
    checks(&[("a.yml", fine)], "check DIR/a.yml", 0, &["Nothing is wrong.\n"]);
    checks(&[("a.yml", "ping: {}")], "check DIR/a.yml", 0, &["Nothing is wrong.\n"]);
    checks(
        &[("a.yml", "hostResolver: {}")],
        "check DIR/a.yml",
        0,
        &["note: hostResolver: understood, but has no effect", "1 note"],
    );
    checks(&[("a.yml", "api: {insecre: true}")], "check DIR/a.yml", 1, &["did you mean insecure?", "1 error."]);
    checks(&[("a.yml", "api: {insecre: true}")], "-c DIR/a.yml --validate", 1, &["did you mean insecure?"]);
    checks(
        &[("a.yml", fine), ("b.toml", "[http.routers.q]\nservice = \"s\"\nrule = \"Path(`/`)\"\n")],
        "check DIR",
        0,
        &["Nothing"],
    );
    checks(
        &[("a.yml", fine), ("b.yml", "http: {routers: {q: {service: ss}}}")],
        "check DIR",
        1,
        &["is not defined in http.services"],
    );
    checks(&[], "check DIR/none.yml", 2, &["there is no such file or folder"]);
    checks(&[("a.txt", "")], "check DIR", 2, &["the folder holds no .toml, .yaml or .yml file"]);
    checks(&[("a.yml", "a: [")], "check DIR/a.yml", 1, &["error: ", "a.yml"]);
}

#[test]
fn check_expands_templates_of_dynamic_files_only() {
    let settings = "providers: {docker: {defaultRule: 'Host(`{{ .Name }}`)'}}";
    checks(&[("a.yml", settings)], "check DIR/a.yml", 0, &["Nothing is wrong.\n"]);
    let template = "{{ range $i := until 2 }}\n{{ end }}\nhttp: {routers: {r: {rule: 'Pth(`/`)'}}}";
    checks(&[("a.yml", template)], "check DIR/a.yml", 1, &["there is no matcher `Pth`", "a.yml:4:29"]);
    checks(&[("a.yml", "{{ nope }}")], "check DIR/a.yml", 1, &["error: template: "]);
}

#[test]
fn check_follows_the_settings_to_their_files() {
    let files = [("d/a.yml", "http: {routers: {r: {rule: 'Hots(`a`)', service: s@docker, entryPoints: [wbe]}}}")];
    let flags = "check --providers.file.directory=DIR/d --entrypoints.web.address=:80";
    checks(&files, flags, 1, &["there is no matcher `Hots`", "\"wbe\" is not an entry point", "1 error, 1 warning."]);
}

#[test]
fn check_speaks_to_programs() {
    let (_, out) = run_check(&[("a.yml", "api:\n  insecre: true")], "check DIR/a.yml --json");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!([{
        "severity": "error", "message": "api.insecre: field not found, node: insecre (did you mean insecure?)",
        "path": "api.insecre", "place": "DIR/a.yml:2:3", "file": "DIR/a.yml", "line": 2, "column": 3,
        "suggestion": "insecure",
    }]);
    assert_eq!(found, expected);
}

/// Routers of a plan: what runs (as the API tells of it) and the file that would take its place.
#[track_caller]
fn planned(live: &serde_json::Value, file: &str, changes: &[&str], losses: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dynamic.yml");
    std::fs::write(&path, file).expect("a file");
    let super::explain::Built { settings, snapshot, .. } =
        super::explain::build(&[path.to_string_lossy().into_owned()]).expect("it can be built");
    let plan = super::plan::compare(live, &snapshot, &settings);
    assert_eq!(plan.changes, changes);
    assert!(plan.losses.len() == losses.len(), "{:?}", plan.losses);
    for (found, expected) in plan.losses.iter().zip(losses) {
        assert!(found.contains(expected), "{expected} is not in {found}");
    }
}

#[test]
fn a_plan_tells_what_comes_what_goes_and_what_is_lost() {
    let live = serde_json::json!({
        "routers": {
            "old@file": { "rule": "Host(`old`)", "service": "s" },
            "shop@file": { "rule": "Host(`shop`)", "service": "s", "middlewares": ["auth@file", "slim@file"] },
            "blog@docker": { "rule": "Host(`blog`)", "service": "blog" },
        },
        "middlewares": { "auth@file": { "basicAuth": { "users": [] } }, "slim@file": { "compress": {} } },
    });
    let file = "
http:
  middlewares: {slim: {compress: {}}}
  services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}
  routers:
    shop: {rule: 'Host(`shop`)', service: s, middlewares: [slim]}
    new: {rule: 'Host(`new`)', service: s}
    over: {rule: 'PathPrefix(`/`)', service: s, priority: 100}
    broken: {rule: 'Host(`x`)', service: none}
";
    let changes = [
        "+ broken@file: Host(`x`)",
        "+ new@file: Host(`new`)",
        "+ over@file: PathPrefix(`/`)",
        "~ shop@file: middlewares auth@file, slim@file → slim@file",
        "- old@file: Host(`old`)",
    ];
    let losses =
        ["shop@file would lose auth@file", "broken@file would not work", "new@file would get nothing for new/"];
    planned(&live, file, &changes, &losses);
}
