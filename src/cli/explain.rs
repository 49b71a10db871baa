//! `trafficcop explain`: what a request would meet, by the files of a configuration, by a compose file, or by a router that
//! runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use trafficcop_api::Noop;
use trafficcop_config::dynamic::document::SECTIONS;
use trafficcop_config::settings::{Settings, Source, load};
use trafficcop_config::{Node, Value};
use trafficcop_exchange::Service;
use trafficcop_merger::{Configurations, Note};
use trafficcop_provider_file::Source as Dynamic;
use trafficcop_snapshot::{Builder, Environment, Explanation, Question, Report, Snapshot, explain};

use super::compose::{self, Composition};
use super::health::{self, Method};
use super::source;

/// How long a router that runs may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Services of our own; here they stand for themselves.
const INTERNAL: [&str; 7] = ["acme-http", "api", "dashboard", "noop", "ping", "prometheus", "rest"];

/// Prints the explanation. 0: a router holds, 1: none does, 2: it could not be found out.
pub(super) fn run(words: &[String], out: &mut impl Write) -> ExitCode {
    let found = Asked::read(words).and_then(|asked| match &asked.at {
        Some(at) => ask(at, &asked),
        None => offline(&asked).map(|explanation| (explanation.to_string(), explanation.winner.is_some())),
    });
    let (text, code) = match found {
        Ok((text, true)) => (text, 0),
        Ok((text, false)) => (text, 1),
        Err(message) => (format!("{message}\n"), 2),
    };
    let _ = out.write_all(text.as_bytes());
    ExitCode::from(code)
}

/// The command's arguments.
struct Asked {
    url: String,
    question: Question,
    /// Options as they were given, for the router that runs.
    options: Vec<(String, String)>,
    at: Option<String>,
    paths: Vec<String>,
}

impl Asked {
    fn read(words: &[String]) -> Result<Self, String> {
        let (mut options, mut operands, mut at) = (Vec::new(), Vec::new(), None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                operands.push(word.clone());
                continue;
            };
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (option, words.next().ok_or_else(|| format!("flag needs an argument: {word}"))?.clone()),
            };
            if name == "at" {
                at = Some(value);
            } else {
                options.push((name.to_owned(), value));
            }
        }
        if operands.is_empty() {
            return Err("explain needs a URL, such as https://a.example/path".to_owned());
        }
        let url = operands.remove(0);
        let mut question = Question::of_url(&url)?;
        for (name, value) in &options {
            question.set(name, value)?;
        }
        if at.is_none() && operands.is_empty() {
            return Err("explain needs files or a folder of configuration, or --at http://HOST:PORT of a running API"
                .to_owned());
        }
        Ok(Self { url, question, options, at, paths: operands })
    }
}

/// Asks the API of a router that runs.
fn ask(at: &str, asked: &Asked) -> Result<(String, bool), String> {
    let mut uri = format!("{}/api/x/explain?url={}", at.trim_end_matches('/'), escaped(&asked.url));
    for (name, value) in &asked.options {
        let _writing_to_a_string_succeeds = write!(uri, "&{name}={}", escaped(value));
    }
    let answer = health::ask(Method::Get, &uri, PATIENCE)?;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body["text"].as_str() {
        Some(text) if answer.status == 200 => Ok((text.to_owned(), !body["winner"].is_null())),
        _ => Err(format!("{at} answers {}: {}", answer.status, String::from_utf8_lossy(&answer.body).trim())),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _writing_to_a_string_succeeds = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Builds what the files say as the router would, and asks that. Nothing of it runs: the runtime that health checks would
/// run on is never driven.
fn offline(asked: &Asked) -> Result<Explanation, String> {
    let built = build(&asked.paths)?;
    let mut explanation = explain(&built.snapshot, &built.settings, &asked.question)?;
    explanation.causes.extend(built.remarks);
    Ok(explanation)
}

/// What files come to.
pub(super) struct Built {
    pub(super) settings: Arc<Settings>,
    pub(super) snapshot: Snapshot,
    /// What was not taken, or assumed.
    remarks: Vec<String>,
}

/// What these files come to.
pub(super) fn build(paths: &[String]) -> Result<Built, String> {
    let Sources { settings, dynamic, compositions } = sources(paths)?;
    let settings = Arc::new(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let _entered = runtime.enter();
    let internal = INTERNAL.map(|name| (name.to_owned(), Arc::new(Noop) as Arc<dyn Service>));
    let environment = Environment {
        settings: Arc::clone(&settings),
        internal: BTreeMap::from(internal),
        control: runtime.handle().clone(),
    };
    let of_settings = Arc::new(trafficcop_provider_internal::configuration(&settings));
    let mut configurations: Configurations = [(Arc::from("internal"), of_settings)].into();
    let (mut refused, mut remarks) = (Vec::new(), Vec::new());
    for composition in &compositions {
        let composed = composition.read(&settings)?;
        remarks.extend(composed.remarks);
        refused.extend(composed.problems.0);
        if configurations.insert(Arc::from("docker"), Arc::new(composed.configuration)).is_some() {
            return Err("explain reads one compose file".to_owned());
        }
    }
    if let Some(dynamic) = dynamic {
        match trafficcop_provider_file::load(&dynamic, false) {
            Ok(configuration) => {
                configurations.insert(Arc::from("file"), Arc::new(configuration));
            }
            Err(errors) => refused.extend(errors.0),
        }
    }
    let snapshot = Builder::new(environment).apply(&configurations);
    let mut report = Report::clone(&snapshot.report);
    report.notes.extend(refused.into_iter().map(Note::also));
    let (entries, tls, merged) = (snapshot.entries.clone(), Arc::clone(&snapshot.tls), Arc::clone(&snapshot.merged));
    Ok(Built { settings, snapshot: Snapshot { entries, tls, merged, report: Arc::new(report) }, remarks })
}

/// What the paths are.
struct Sources {
    settings: Settings,
    dynamic: Option<Dynamic>,
    compositions: Vec<Composition>,
}

/// The settings and the source of the dynamic configuration among the paths. A file may hold either; the settings name
/// the dynamic one when no path does.
fn sources(paths: &[String]) -> Result<Sources, String> {
    let (mut settings, mut dynamic, mut compositions) = (None, None, Vec::new());
    for path in paths.iter().map(Path::new) {
        let found = if path.is_dir() {
            Dynamic::Directory(path.into())
        } else {
            // Before it is expanded, a template need not be a document.
            match source::document(path) {
                Ok(document) if compose::is_compose(&document) => {
                    compositions.push(Composition::at(path)?);
                    continue;
                }
                Ok(document) if !is_dynamic(&document) => {
                    let of_file = Source::File(path.to_string_lossy().into());
                    let loaded = load::load(of_file, &document).map_err(|errors| errors.to_string())?;
                    settings = Some(loaded.settings);
                    continue;
                }
                Err(errors) if !std::fs::read_to_string(path).is_ok_and(|text| text.contains("{{")) => {
                    return Err(errors.to_string());
                }
                _ => Dynamic::File(path.into()),
            }
        };
        if dynamic.replace(found).is_some() {
            return Err("explain reads one dynamic file or one folder; put several files into a folder".to_owned());
        }
    }
    let mut settings = match settings.or(compositions.iter().find_map(Composition::settings).transpose()?) {
        Some(settings) => settings,
        None => load::load(Source::Defaults, &Node::default()).map_err(|errors| errors.to_string())?.settings,
    };
    if !compositions.is_empty() {
        settings.providers.docker.get_or_insert_default();
    }
    let dynamic = dynamic.or_else(|| {
        let file = settings.providers.file.as_ref()?;
        match (file.directory.as_str(), file.filename.as_str()) {
            ("", "") => None,
            ("", name) => Some(Dynamic::File(name.into())),
            (folder, _) => Some(Dynamic::Directory(folder.into())),
        }
    });
    Ok(Sources { settings, dynamic, compositions })
}

fn is_dynamic(document: &Node) -> bool {
    matches!(document.value, Value::Map(_)) && SECTIONS.iter().any(|key| document.get(key).is_some())
}
