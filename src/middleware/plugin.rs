//! # plugin
//!
//! Traefik's plugins (Yaegi and WebAssembly) do not run here, but for the commercial kinds that are built in: `apiKey` and `jwt`
//! are understood as their users wrote them. Their settings are read, so that a configuration that names
//! them loads; the middleware is disabled, and so are the routers that use it: what a plugin was to protect never opens.
//!
//! ```yaml
//! middlewares:
//!   bouncer: {plugin: {bouncer: {enabled: true}}}
//! ```

use serde::{Deserialize, Serialize};
use trafficcop_config::{Node, Value};

use crate::{BuildError, ChainBuilder, Middleware};

/// Kinds of Traefik's commercial editions that we have ourselves.
const BUILT_IN: &[&str] = &["apiKey", "jwt"];

/// The plugin's name and its settings, whatever they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Plugin(Node);

impl Middleware for Plugin {
    const NAME: &'static str = "plugin";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let first = match &self.0.value {
            Value::Map(entries) => entries.iter().next(),
            _ => None,
        };
        let name = first.map_or("", |(name, _)| name.as_ref());
        if let Some((_, settings)) =
            first.filter(|(name, _)| BUILT_IN.iter().any(|kind| kind.eq_ignore_ascii_case(name)))
            && let Some(kind) = crate::find(name)
        {
            return (kind.build)(settings, chain);
        }
        Err(BuildError::invalid(format!("plugin: unknown plugin type: {name}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Origin};

    #[test]
    fn a_plugin_never_opens() {
        let error = testing::chain("plugin", "{bouncer: {enabled: true}}", Origin::ok()).err().expect("an error");
        assert_eq!(error.to_string(), "plugin: unknown plugin type: bouncer");
    }
}
