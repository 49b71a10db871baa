//! A compose file among the files of a configuration.

use std::path::Path;

use trafficcop_config::read::{self, Format};
use trafficcop_config::settings::{Settings, Source, load};
use trafficcop_config::{Node, Value};
#[cfg(feature = "docker")]
use trafficcop_provider_docker::compose as docker;

use super::source;

/// A compose file, its variables filled in.
pub(super) struct Composition {
    document: Node,
    /// The name of its folder.
    project: String,
}

/// Whether a document is a compose file.
pub(super) fn is_compose(document: &Node) -> bool {
    document.get("services").is_some_and(|services| matches!(services.value, Value::Map(_)))
}

#[cfg(feature = "docker")]
impl Composition {
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let filled = docker::interpolate(&text, &|name| std::env::var(name).ok());
        let document =
            read::document(&filled, Format::Yaml, &path.to_string_lossy()).map_err(|errors| errors.to_string())?;
        let folder = path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned));
        let name = folder.and_then(|folder| folder.file_name().map(|name| name.to_string_lossy().to_lowercase()));
        Ok(Self { document, project: name.unwrap_or_default() })
    }

    /// What the file starts the router itself with; None when it starts none.
    pub(super) fn settings(&self) -> Option<Result<Settings, String>> {
        let words = docker::command(&self.document)?;
        let flags = words.iter().map(String::as_str).filter(|word| word.starts_with('-'));
        let node = read::flags::read(flags, source::shape());
        let loaded = node.and_then(|node| load::load(Source::Flags, &node));
        Some(loaded.map(|loaded| loaded.settings).map_err(|errors| errors.to_string()))
    }

    pub(super) fn read(&self, settings: &Settings) -> Result<docker::Composed, String> {
        let check = crate::control::middleware_check();
        let docker_settings = settings.providers.docker.clone().unwrap_or_default();
        docker::compose(&self.document, &self.project, &docker_settings, &|path, middleware| check(path, middleware))
            .map_err(|error| error.to_string())
    }
}

#[cfg(not(feature = "docker"))]
mod without {
    use super::*;

    /// Nothing is ever composed in this build.
    pub(in crate::cli) struct Composed {
        pub(in crate::cli) configuration: trafficcop_config::dynamic::Configuration,
        pub(in crate::cli) problems: trafficcop_config::ConfigErrors,
        pub(in crate::cli) remarks: Vec<String>,
    }

    impl Composition {
        pub(in crate::cli) fn at(path: &Path) -> Result<Self, String> {
            Err(format!("{} is a compose file; this build is without the docker provider", path.display()))
        }

        pub(in crate::cli) fn settings(&self) -> Option<Result<Settings, String>> {
            None
        }

        pub(in crate::cli) fn read(&self, _: &Settings) -> Result<Composed, String> {
            Err(format!("{}: this build is without the docker provider", self.project))
        }
    }
}
