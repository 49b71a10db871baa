//! From files to one configuration.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use trafficcop_config::dynamic::reread::Document;
use trafficcop_config::dynamic::{Configuration, document};
use trafficcop_config::read::Format;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

use crate::inline::inline;
use crate::merge;

/// Where the configuration lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// One file.
    File(PathBuf),
    /// Every `.toml`, `.yaml` and `.yml` below a folder; what else lies there (an `acme.json`, say) is not ours.
    Directory(PathBuf),
    /// The same of a folder that holds other things, too: a document counts if it has a section of the dynamic
    /// configuration, and folders that are hidden or hold packages do not.
    Among(PathBuf),
}

/// The largest document that is read.
const MAX_BYTES: u64 = 256 << 20;
/// Folders within folders that are read.
const MAX_DEPTH: usize = 32;

/// Reads the source whole, or says everything that is wrong with it.
pub fn load(source: &Source, log_templates: bool) -> Result<Configuration, ConfigErrors> {
    let mut configuration = decode(read(source), log_templates, &mut Known::new())?;
    inline(&mut configuration);
    Ok(configuration)
}

/// The files of a source and what they hold: what waits for disks is here.
pub(crate) struct Texts {
    files: Vec<(PathBuf, Format, Result<String, ConfigErrors>)>,
    errors: Vec<ConfigError>,
}

pub(crate) fn read(source: &Source) -> Texts {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    match source {
        Source::File(path) => match Format::of(path) {
            Some(format) => files.push((path.clone(), format)),
            None => errors.extend(not_readable(path, "a .toml, .yaml or .yml file").0),
        },
        Source::Directory(folder) => find(folder, 0, &mut files, &mut errors),
        Source::Among(folder) => {
            find(folder, 0, &mut files, &mut errors);
            files.retain(|(path, _)| is_ours(path, folder));
        }
    }
    let read = |(path, format): (PathBuf, Format)| {
        let text = text(&path);
        (path, format, text)
    };
    Texts { files: files.into_iter().map(read).collect(), errors }
}

/// The documents of a source as they were read the last time: of large ones that change by little, little is read.
pub(crate) type Known = HashMap<PathBuf, Document>;

/// What the files say together.
pub(crate) fn decode(texts: Texts, log_templates: bool, known: &mut Known) -> Result<Configuration, ConfigErrors> {
    let Texts { files, mut errors } = texts;
    let (mut merged, is_one) = (Configuration::default(), files.len() == 1);
    let mut before = std::mem::take(known);
    for (path, format, text) in files {
        let before = before.remove(&path);
        match text.and_then(|text| document_at(&path, format, &text, log_templates, before.as_ref())) {
            Ok(document) => {
                let configuration = document.configuration().clone();
                known.insert(path.clone(), document);
                if is_one {
                    merged = configuration;
                } else {
                    merge::add(&mut merged, configuration, &path);
                }
            }
            Err(found) => {
                // Whoever repairs it repairs most of it.
                known.extend(before.map(|before| (path, before)));
                errors.extend(found.0);
            }
        }
    }
    if errors.is_empty() { Ok(merged) } else { Err(ConfigErrors(errors)) }
}

/// Whether a file among others says something about routing, as far as a look at its lines tells.
fn is_ours(path: &Path, folder: &Path) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let is_elsewhere = below.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name.starts_with('.') || matches!(&*name, "node_modules" | "target" | "vendor")
    });
    let begins = |line: &str| {
        let line = line.to_ascii_lowercase();
        document::SECTIONS.iter().any(|section| {
            line.strip_prefix(section).is_some_and(|rest| rest.starts_with(':'))
                || line
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_prefix(section))
                    .is_some_and(|rest| rest.starts_with(['.', ']']))
        })
    };
    !is_elsewhere && std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(begins))
}

/// The documents below a folder, in the order of their names. A file that vanishes meanwhile is simply not there.
fn find(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, Format)>, errors: &mut Vec<ConfigError>) {
    if depth > MAX_DEPTH {
        errors.push(error(folder, format!("folders are nested more than {MAX_DEPTH} deep")));
        return;
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) => {
            errors.push(error(folder, format!("cannot read the folder: {cause}")));
            return;
        }
    };
    // The type is the entry's own: linked files are read, linked folders are not followed.
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir()))).collect();
    paths.sort();
    for (path, is_folder) in paths {
        // `..data` and its kin are how Kubernetes swaps a volume: the visible names are links into them.
        let hidden_volume = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".."));
        if hidden_volume {
            continue;
        }
        if is_folder {
            find(&path, depth + 1, files, errors);
        } else if let Some(format) = Format::of(&path).filter(|format| *format != Format::Json) {
            files.push((path, format));
        }
    }
}

fn text(path: &Path) -> Result<String, ConfigErrors> {
    let size = std::fs::metadata(path).map_err(|cause| not_readable(path, &cause.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(not_readable(path, &format!("{size} bytes, more than the {MAX_BYTES} that are read")));
    }
    std::fs::read_to_string(path).map_err(|cause| not_readable(path, &cause.to_string()))
}

fn document_at(
    path: &Path,
    format: Format,
    text: &str,
    log_templates: bool,
    before: Option<&Document>,
) -> Result<Document, ConfigErrors> {
    let expanded = trafficcop_provider::template::render_document(text)
        .map_err(|cause| ConfigErrors(vec![error(path, format!("template: {cause}"))]))?;
    if log_templates {
        tracing::debug!(file = %path.display(), content = %expanded, "Template is expanded.");
    }
    Document::read(&expanded, format, &path.to_string_lossy(), before)
}

fn not_readable(path: &Path, why: &str) -> ConfigErrors {
    ConfigErrors(vec![error(path, format!("cannot read the file: {why}"))])
}

fn error(path: &Path, message: String) -> ConfigError {
    let at = Origin::File { file: path.to_string_lossy().into(), line: 1, column: 1 };
    ConfigError { at, path: String::new(), problem: Problem::Other { message } }
}
