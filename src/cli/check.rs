//! `trafficcop check`: what is wrong with a configuration, before it is used.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use trafficcop_config::dynamic::document::SECTIONS;
use trafficcop_config::settings::{REMOVED_SECTIONS, Settings, Source, load};
use trafficcop_config::{ConfigError, Node, Origin, Problem, Value};

use super::Start;
use super::invocation::Invocation;
use super::source;
use crate::diagnose::documents::{self, Document};
use crate::diagnose::{self, Finding, Severity, Style, Texts};

/// Nothing is wrong (though there may be warnings), something is, or it could not be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine = 0,
    Wrong = 1,
    Unknown = 2,
}

/// Checks the files and folders that were named, or else whatever the router would start with. Prints what it finds.
pub(super) fn run(invocation: &Invocation, start: &Start, out: &mut impl Write) -> ExitCode {
    let mut check = Check::default();
    if invocation.operands.is_empty() {
        check.startup(invocation, start);
    } else {
        for operand in &invocation.operands {
            check.operand(Path::new(operand));
        }
    }
    let verdict = check.finish();
    let text = if invocation.json {
        format!("{:#}\n", diagnose::json(&check.findings))
    } else {
        let style = Style::of(std::io::IsTerminal::is_terminal(&std::io::stdout()));
        diagnose::render(&check.findings, &mut check.texts, style) + &check.summary(verdict)
    };
    let _ = out.write_all(text.as_bytes());
    ExitCode::from(verdict as u8)
}

#[derive(Default)]
struct Check {
    findings: Vec<Finding>,
    texts: Texts,
    /// Documents of the dynamic configuration, examined together at the end: they refer to each other.
    documents: Vec<Document>,
    settings: Option<Settings>,
    failed: bool,
}

impl Check {
    /// What the router would start with, and the dynamic files that the settings name.
    fn startup(&mut self, invocation: &Invocation, start: &Start) {
        match source::load(invocation, start) {
            Ok(loaded) => {
                self.findings.extend(diagnose::remarks(&loaded));
                let file = loaded.settings.providers.file.clone().unwrap_or_default();
                if !file.directory.is_empty() {
                    self.folder(Path::new(&file.directory));
                } else if !file.filename.is_empty() {
                    self.dynamic(Path::new(&file.filename));
                }
                self.settings = Some(loaded.settings);
            }
            Err(wrong) => self.findings.extend(diagnose::errors(wrong)),
        }
    }

    fn operand(&mut self, path: &Path) {
        if path.is_dir() {
            self.folder(path);
        } else if path.is_file() {
            self.file(path);
        } else {
            self.fail(path, "there is no such file or folder");
        }
    }

    fn folder(&mut self, folder: &Path) {
        match documents::below(folder) {
            Ok(paths) if paths.is_empty() => self.fail(folder, "the folder holds no .toml, .yaml or .yml file"),
            Ok(paths) => paths.iter().for_each(|path: &PathBuf| self.file(path)),
            Err(error) => self.fail(folder, &format!("the folder cannot be read: {error}")),
        }
    }

    /// A file that may hold the static configuration, the dynamic one, or both. Only the dynamic one is a template.
    fn file(&mut self, path: &Path) {
        match source::document(path) {
            Ok(document) => {
                let is_dynamic = has_any(&document, &SECTIONS);
                let sections: Vec<&str> = source::shape().sections().into_iter().chain(REMOVED_SECTIONS).collect();
                if has_any(&document, &sections) || !is_dynamic {
                    self.settings(path, &document);
                }
                if is_dynamic {
                    self.dynamic(path);
                }
            }
            // Before it is expanded, a template need not be a document.
            Err(_) if std::fs::read_to_string(path).is_ok_and(|text| text.contains("{{")) => self.dynamic(path),
            Err(wrong) => self.findings.extend(diagnose::errors(wrong)),
        }
    }

    fn settings(&mut self, path: &Path, document: &Node) {
        match load::load(Source::File(path.to_string_lossy().into()), document) {
            Ok(loaded) => {
                self.findings.extend(diagnose::remarks(&loaded));
                self.settings = Some(loaded.settings);
            }
            Err(wrong) => self.findings.extend(diagnose::errors(wrong)),
        }
    }

    fn dynamic(&mut self, path: &Path) {
        match documents::read(path, &mut self.texts) {
            Ok(document) => self.documents.push(document),
            Err(wrong) => self.findings.extend(diagnose::errors(wrong)),
        }
    }

    fn fail(&mut self, path: &Path, message: &str) {
        let problem = Problem::Other { message: format!("{}: {message}", path.display()) };
        let error = ConfigError { at: Origin::Unknown, path: String::new(), problem };
        self.findings.push(Finding::new(Severity::Error, error));
        self.failed = true;
    }

    fn finish(&mut self) -> Verdict {
        let found = documents::examine(&self.documents, self.settings.as_ref(), &mut self.texts);
        self.findings.extend(found);
        if self.failed {
            Verdict::Unknown
        } else if self.count(Severity::Error) > 0 {
            Verdict::Wrong
        } else {
            Verdict::Fine
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    fn summary(&self, verdict: Verdict) -> String {
        let part = |severity, one: &str| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {one}")),
            many => Some(format!("{many} {one}s")),
        };
        let parts = [part(Severity::Error, "error"), part(Severity::Warning, "warning"), part(Severity::Note, "note")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match (verdict, parts.is_empty()) {
            (Verdict::Fine, true) => "Nothing is wrong.\n".to_owned(),
            (Verdict::Fine, false) => format!("Nothing is wrong; {}.\n", parts.join(", ")),
            _ => format!("{}.\n", parts.join(", ")),
        }
    }
}

fn has_any(document: &Node, keys: &[&str]) -> bool {
    matches!(document.value, Value::Map(_)) && keys.iter().any(|key| document.get(key).is_some())
}
