//! The raw data of a configuration in which nearly everything is wrong, beside what Traefik 3.7.15 says of the same files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use trafficcop_config::read::{Format, document};
use trafficcop_config::settings::load::{Source, load};
use trafficcop_merger::Configurations;
use trafficcop_snapshot::{Builder, Environment};

use super::*;

fn read(case: &Path, file: &str) -> String {
    std::fs::read_to_string(case.join(file)).expect("the case has this file")
}

fn settings(case: &Path) -> Arc<Settings> {
    let node = document(&read(case, "static.yml"), Format::Yaml, "static.yml").expect("it is YAML");
    Arc::new(load(Source::File("static.yml".into()), &node).expect("the settings are right").settings)
}

/// Builds the case and shows its raw data.
fn raw_data(case: &Path) -> Value {
    let settings = settings(case);
    let node = document(&read(case, "file.yml"), Format::Yaml, "file.yml").expect("it is YAML");
    let file = trafficcop_config::dynamic::document::decode(&node).expect("the document is acceptable");
    let internal = trafficcop_provider_internal::configuration(&settings);
    let configurations: Configurations =
        [("file".into(), Arc::new(file)), ("internal".into(), Arc::new(internal))].into_iter().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let services = ["api", "dashboard", "ping", "noop", "rest", "prometheus"];
    let internal = services.map(|name| (name.to_owned(), Arc::new(Noop) as Arc<dyn Service>));
    let environment = Environment { settings, internal: BTreeMap::from(internal), control: runtime.handle().clone() };
    let snapshot = Builder::new(environment).apply(&configurations);
    serde_json::to_value(raw::raw(&snapshot)).expect("raw data is JSON")
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
    differences("", &raw_data(&case), &theirs, &mut found);
    found.retain(|(path, _)| !KNOWN.iter().any(|(known, _)| path == known));
    assert!(found.is_empty(), "{found:#?}");
}
