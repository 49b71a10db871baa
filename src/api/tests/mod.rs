//! What the API answers; and the raw data of a configuration in which nearly everything is wrong, beside what Traefik 3.7.15 says of the same files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use trafficcop_config::read::{Format, document};
use trafficcop_config::settings::load::{Source, load};
use trafficcop_merger::Configurations;
use trafficcop_snapshot::{Builder, Environment};

use super::*;

mod requests;

fn read(case: &Path, file: &str) -> String {
    std::fs::read_to_string(case.join(file)).expect("the case has this file")
}

fn settings(yaml: &str) -> Arc<Settings> {
    let node = document(yaml, Format::Yaml, "static.yml").expect("it is YAML");
    Arc::new(load(Source::File("static.yml".into()), &node).expect("the settings are right").settings)
}

/// Builds what `file` says beside the settings.
fn snapshot(settings: &Arc<Settings>, file: &str) -> Arc<Snapshot> {
    let node = document(file, Format::Yaml, "file.yml").expect("it is YAML");
    let file = trafficcop_config::dynamic::document::decode(node).expect("the document is acceptable");
    let internal = trafficcop_provider_internal::configuration(settings);
    let configurations: Configurations =
        [("file".into(), Arc::new(file)), ("internal".into(), Arc::new(internal))].into_iter().collect();
    let services = ["api", "dashboard", "ping", "noop", "rest", "prometheus"];
    let internal = services.map(|name| (name.to_owned(), Arc::new(Noop) as Arc<dyn Service>));
    let control = control().handle().clone();
    let environment = Environment { settings: Arc::clone(settings), internal: BTreeMap::from(internal), control };
    Builder::new(environment).apply(&configurations)
}

/// Where health checks run.
fn control() -> &'static tokio::runtime::Runtime {
    static CONTROL: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
    CONTROL.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
    })
}

/// Where we differ, and why that is so. Fewer differences are fine.
const KNOWN: &[(&str, &str)] = &[
    ("/middlewares/bad@file/error", "regular expressions are refused in the words of another engine"),
    ("/routers/badmw@file/error", "the same"),
    ("/routers/badrule5@file/error", "the same"),
    ("/middlewares/noauth@file/error", "we say what is missing"),
    ("/routers/noauthmw@file/error", "the same"),
    ("/routers/kidobs@file/observability/traceVerbosity", "a default that nobody uses"),
    ("/routers/kidtls@file", "Traefik loses the router without a word; we show it with its error"),
    ("/services/a@file/usedBy", "the router that Traefik loses"),
];

/// Collects what differs between two trees, path by path.
fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut Vec<(String, String)>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                let nothing = Value::Null;
                let (ours, theirs) = (ours.get(name).unwrap_or(&nothing), theirs.get(name).unwrap_or(&nothing));
                differences(&format!("{path}/{name}"), ours, theirs, out);
            }
        }
        _ if ours == theirs => {}
        _ => out.push((path.to_owned(), format!("\n    ours   {ours}\n    theirs {theirs}"))),
    }
}

#[test]
fn raw_data_is_that_of_traefik() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/everything");
    let theirs: Value = serde_json::from_str(&read(&case, "rawdata.json")).expect("it is JSON");
    let mut found = Vec::new();
    let snapshot = snapshot(&settings(&read(&case, "static.yml")), &read(&case, "file.yml"));
    let ours = serde_json::to_value(raw::raw(&snapshot)).expect("raw data is JSON");
    differences("", &ours, &theirs, &mut found);
    found.retain(|(path, _)| !KNOWN.iter().any(|(known, _)| path == known));
    assert!(found.is_empty(), "{found:#?}");
}
