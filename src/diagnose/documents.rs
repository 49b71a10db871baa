//! Examines documents of the dynamic configuration the way a provider and the build after it would.

use std::path::{Path, PathBuf};

use trafficcop_config::dynamic::{Configuration, Middleware, document};
use trafficcop_config::effect::notes;
use trafficcop_config::read::{self, Format};
use trafficcop_config::settings::{Settings, effect};
use trafficcop_config::{At, ConfigError, ConfigErrors, Node, Origin, Problem};
use trafficcop_router::rule::{RuleError, Syntax, parse_http, parse_tcp};

use super::{Finding, Severity, Texts, errors, references};

/// A document and the file it was read from.
pub(crate) struct Document {
    pub(crate) node: Node,
}

/// Reads a file: its template is expanded, then the notation read.
pub(crate) fn read(path: &Path, texts: &mut Texts) -> Result<Document, ConfigErrors> {
    let file = path.to_string_lossy();
    let format =
        Format::of(path).ok_or_else(|| failed(path, "is neither a .toml nor a .yaml nor a .yml file".into()))?;
    let text = std::fs::read_to_string(path).map_err(|error| failed(path, format!("cannot be read: {error}")))?;
    let expanded = trafficcop_provider::template::render_document(&text)
        .map_err(|error| failed(path, format!("template: {error}")))?;
    texts.put(&*file, &*expanded);
    Ok(Document { node: read::document(&expanded, format, &file)? })
}

/// The documents below a folder, in the order of their names; what else lies there is left alone.
pub(crate) fn below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            paths.extend(below(&path)?);
        } else if Format::of(&path).is_some_and(|format| format != Format::Json) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Everything that is wrong with a set of documents that one provider reads. The settings say which entry points there
/// are; without them nothing is said about entry points.
pub(crate) fn examine(documents: &[Document], settings: Option<&Settings>, texts: &mut Texts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        match document::decode(document.node.clone()) {
            Ok(configuration) => {
                findings.extend(rules(&configuration, settings, texts));
                findings.extend(middlewares(&configuration));
                if let Some(settings) = settings {
                    findings.extend(entry_points(&configuration, settings));
                }
            }
            Err(wrong) => findings.extend(errors(wrong)),
        }
        findings.extend(super::without_effect(&notes(&document.node, effect::DYNAMIC)));
    }
    let nodes: Vec<&Node> = documents.iter().map(|document| &document.node).collect();
    findings.extend(references::examine(&nodes));
    findings
}

fn rules(configuration: &Configuration, settings: Option<&Settings>, texts: &mut Texts) -> Vec<Finding> {
    let default = settings.map_or("v3", |settings| settings.core.default_rule_syntax.as_str());
    let syntax = |named: &str| Syntax::named(if named.is_empty() { default } else { named });
    let mut wrong: Vec<(String, &At<String>, RuleError)> = Vec::new();
    for (name, router) in configuration.http.iter().flat_map(|http| &http.routers) {
        if let Some(error) = unparsed(&router.rule, |rule| parse_http(rule, syntax(&router.rule_syntax)).err()) {
            wrong.push((format!("http.routers.{name}.rule"), &router.rule, error));
        }
    }
    for (name, router) in configuration.tcp.iter().flat_map(|tcp| &tcp.routers) {
        if let Some(error) = unparsed(&router.rule, |rule| parse_tcp(rule, syntax(&router.rule_syntax)).err()) {
            wrong.push((format!("tcp.routers.{name}.rule"), &router.rule, error));
        }
    }
    wrong.into_iter().map(|(path, rule, error)| rule_finding(path, rule, &error, texts)).collect()
}

fn unparsed(rule: &str, parse: impl FnOnce(&str) -> Option<RuleError>) -> Option<RuleError> {
    if rule.is_empty() { None } else { parse(rule) }
}

/// Points into the rule itself where it stands in its line as it is.
fn rule_finding(path: String, rule: &At<String>, error: &RuleError, texts: &mut Texts) -> Finding {
    let problem = Problem::Syntax { message: error.to_string() };
    let mut finding = Finding::new(Severity::Error, ConfigError { at: rule.at.clone(), path, problem });
    if let Origin::File { file, line, column } = &rule.at
        && let Some(before) = texts.line(file, *line).and_then(|text| characters_before(text, *column, rule))
    {
        let column = (before + error.column) as u32;
        finding.error.at = Origin::File { file: file.clone(), line: *line, column };
        finding.length = Some(error.length);
    }
    finding
}

/// How many characters of the line come before the rule.
fn characters_before(line: &str, column: u32, rule: &str) -> Option<usize> {
    let from = line.char_indices().nth(column.saturating_sub(1) as usize)?.0;
    let at = from + line[from..].find(rule)?;
    Some(line[..at].chars().count())
}

fn middlewares(configuration: &Configuration) -> Vec<Finding> {
    let http = configuration.http.iter().flat_map(|http| &http.middlewares);
    http.flat_map(|(name, middleware)| middleware_findings(name, middleware)).collect()
}

fn middleware_findings(name: &str, middleware: &At<Middleware>) -> Vec<Finding> {
    let path = format!("http.middlewares.{name}");
    if middleware.kinds.len() != 1 {
        let message = match middleware.kinds.len() {
            0 => "the middleware has no kind".to_owned(),
            many => format!("the middleware has {many} kinds; it must have exactly one"),
        };
        let error = ConfigError { at: middleware.at.clone(), path, problem: Problem::Other { message } };
        return vec![Finding::new(Severity::Error, error)];
    }
    let mut findings = Vec::new();
    for (kind, settings) in &middleware.kinds {
        match trafficcop_middleware::find(kind) {
            Some(known) => {
                for mut error in (known.check)(settings).err().into_iter().flat_map(|wrong| wrong.0) {
                    let below = if error.path.is_empty() { String::new() } else { format!(".{}", error.path) };
                    error.path = format!("{path}.{kind}{below}");
                    findings.push(Finding::new(Severity::Error, error));
                }
            }
            // Has a note of its own: it is understood, but has no effect.
            None if kind.eq_ignore_ascii_case("plugin") => {}
            None => {
                let nearest = trafficcop_middleware::nearest(kind);
                let problem = Problem::UnknownField { field: kind.to_string(), nearest };
                let error = ConfigError { at: settings.place().clone(), path: path.clone(), problem };
                findings.push(Finding::new(Severity::Error, error));
            }
        }
    }
    findings
}

fn entry_points(configuration: &Configuration, settings: &Settings) -> Vec<Finding> {
    let http = configuration.http.iter().flat_map(|http| &http.routers);
    let http = http.map(|(name, router)| (format!("http.routers.{name}"), &router.at, &router.entry_points));
    let tcp = configuration.tcp.iter().flat_map(|tcp| &tcp.routers);
    let tcp = tcp.map(|(name, router)| (format!("tcp.routers.{name}"), &router.at, &router.entry_points));
    let udp = configuration.udp.iter().flat_map(|udp| &udp.routers);
    let udp = udp.map(|(name, router)| (format!("udp.routers.{name}"), &router.at, &router.entry_points));
    let mut findings = Vec::new();
    for (path, at, names) in http.chain(tcp).chain(udp) {
        for name in names.iter().filter(|name| !settings.entry_points.contains_key(*name)) {
            let known = settings.entry_points.keys().map(String::as_str);
            let problem = Problem::BadValue {
                found: format!("{name:?}"),
                expected: "an entry point".to_owned(),
                nearest: trafficcop_config::suggest::nearest(name, known).map(str::to_owned),
            };
            let error = ConfigError { at: at.clone(), path: format!("{path}.entryPoints"), problem };
            findings.push(Finding::new(Severity::Warning, error));
        }
    }
    findings
}

fn failed(path: &Path, message: String) -> ConfigErrors {
    let at = Origin::File { file: path.to_string_lossy().into(), line: 1, column: 1 };
    ConfigErrors(vec![ConfigError { at, path: String::new(), problem: Problem::Other { message } }])
}
