//! Finds the one source that the settings come from: a file, else flags, else variables.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use trafficcop_config::read::{self, Format};
use trafficcop_config::settings::{self, Loaded, Log, Settings, Source, load};
use trafficcop_config::{ConfigError, ConfigErrors, Node, Origin, Problem, Shape};

use super::Start;
use super::invocation::Invocation;

/// What every variable of ours begins with.
const PREFIX: &str = "TRAEFIK_";
/// The names a settings file is looked for under, Traefik's first.
const NAMES: [&str; 2] = ["traefik", "trafficcop"];
const EXTENSIONS: [&str; 3] = ["toml", "yaml", "yml"];

/// The options of the static configuration; asked of the model once.
pub fn shape() -> &'static Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(Shape::of::<Settings>)
}

/// The settings that a command line and its surroundings ask for.
pub fn load(invocation: &Invocation, start: &Start) -> Result<Loaded, ConfigErrors> {
    let mut loaded = match find_file(invocation, start) {
        Some(path) => from_file(&path)?,
        None if !invocation.flags.is_empty() => {
            let flags = invocation.flags.iter().map(String::as_str);
            load::load(Source::Flags, &read::flags::read(flags, shape())?)?
        }
        None => from_variables(&start.variables)?,
    };
    if let Some(missing) = invocation.config_file.as_ref().filter(|file| !Path::new(file).is_file()) {
        let message = format!("the file {missing} does not exist and was passed over");
        let at = Origin::Flag("configFile".into());
        loaded.warnings.push(ConfigError { at, path: String::new(), problem: Problem::Other { message } });
    }
    if let Some(stray) = &invocation.stray {
        let message = format!("{stray} is no flag: it and everything after it was passed over");
        let warning = ConfigError { at: Origin::Unknown, path: String::new(), problem: Problem::Other { message } };
        loaded.warnings.push(warning);
    }
    if invocation.debug {
        loaded.settings.log.get_or_insert_with(Log::default).level = "DEBUG".into();
    }
    Ok(loaded)
}

/// Reads a file of static settings.
pub fn from_file(path: &Path) -> Result<Loaded, ConfigErrors> {
    let file = path.to_string_lossy();
    load::load(Source::File(file.as_ref().into()), &document(path)?)
}

/// Reads a file without asking what it holds.
pub fn document(path: &Path) -> Result<Node, ConfigErrors> {
    let file = path.to_string_lossy();
    let fail = |message: String| {
        let at = Origin::File { file: file.as_ref().into(), line: 1, column: 1 };
        ConfigErrors(vec![ConfigError { at, path: String::new(), problem: Problem::Other { message } }])
    };
    let format = Format::of(path).ok_or_else(|| fail("is neither a .toml nor a .yaml nor a .yml file".into()))?;
    let text = std::fs::read_to_string(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
    read::document(&text, format, &file)
}

fn from_variables(variables: &[(String, String)]) -> Result<Loaded, ConfigErrors> {
    // Sections of earlier versions are read too: they abort with a hint.
    let sections: Vec<&str> = shape().sections().into_iter().chain(settings::REMOVED_SECTIONS).collect();
    let pairs = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let node = read::env::read(pairs, PREFIX, &sections)?;
    let nothing = Node::default();
    let loaded = load::load(Source::Variables, &node)?;
    if loaded.settings == load::load(Source::Defaults, &nothing)?.settings {
        return load::load(Source::Defaults, &nothing);
    }
    Ok(loaded)
}

/// The first file that exists: the one that was named, else those of the search order.
fn find_file(invocation: &Invocation, start: &Start) -> Option<PathBuf> {
    let named = invocation.config_file.iter().map(PathBuf::from);
    let searched = folders(start).into_iter().flat_map(|folder| {
        NAMES.iter().flat_map(move |name| {
            let stem = folder.join(name);
            EXTENSIONS.iter().map(move |extension| stem.with_extension(extension)).collect::<Vec<_>>()
        })
    });
    named.chain(searched).find(|path| path.is_file())
}

fn folders(start: &Start) -> Vec<PathBuf> {
    let variable = |name: &str| {
        let found = start.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty())
    };
    let mut folders = Vec::new();
    for name in ["traefik", "trafficcop"] {
        folders.push(Path::new("/etc").join(name));
    }
    folders.extend(variable("XDG_CONFIG_HOME"));
    folders.extend(variable("HOME").map(|home| home.join(".config")));
    folders.push(PathBuf::from("."));
    folders
}
