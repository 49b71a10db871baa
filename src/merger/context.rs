//! [`Context`]: what the static configuration says to the merging of dynamic ones.

use trafficcop_config::settings::{Core, Settings};

/// One entry point, as far as merging is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    pub name: String,
    pub udp: bool,
    /// Serves routers that name no entry point.
    pub is_default: bool,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// By name, ascending.
    pub entry_points: Vec<EntryPoint>,
    /// `core.defaultRuleSyntax` if it was set.
    pub default_rule_syntax: Option<String>,
}

/// The entry point that belongs to the program itself: never a default one unless it is flagged.
const INTERNAL: &str = "traefik";

impl Context {
    /// Default entry points are those flagged `asDefault`; without any flag all TCP ones but `traefik`.
    pub fn new(settings: &Settings) -> Self {
        let any_flagged = settings.entry_points.values().any(|entry_point| entry_point.as_default);
        let entry_points = settings.entry_points.iter().map(|(name, entry_point)| {
            let udp = entry_point.address.to_ascii_lowercase().ends_with("/udp");
            let is_wanted = if any_flagged { entry_point.as_default } else { true };
            EntryPoint { name: name.clone(), udp, is_default: is_wanted && !udp && name != INTERNAL }
        });
        let syntax = &settings.core.default_rule_syntax;
        let default_rule_syntax = (syntax != Core::default().default_rule_syntax.as_str()).then(|| syntax.clone());
        Self { entry_points: entry_points.collect(), default_rule_syntax }
    }

    /// Names of the entry points that serve TCP, hence HTTP.
    pub fn tcp(&self) -> impl Iterator<Item = &str> {
        self.entry_points.iter().filter(|entry_point| !entry_point.udp).map(|entry_point| entry_point.name.as_str())
    }

    pub fn udp(&self) -> impl Iterator<Item = &str> {
        self.entry_points.iter().filter(|entry_point| entry_point.udp).map(|entry_point| entry_point.name.as_str())
    }

    pub fn defaults(&self) -> impl Iterator<Item = &str> {
        self.entry_points
            .iter()
            .filter(|entry_point| entry_point.is_default)
            .map(|entry_point| entry_point.name.as_str())
    }
}
