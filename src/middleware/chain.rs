//! # chain
//!
//! Stands for a list of other middlewares, in their order. A chain that contains itself is an error.
//!
//! ```yaml
//! middlewares:
//!   secured: {chain: {middlewares: [https, auth]}}
//! ```

use serde::{Deserialize, Serialize};

use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Chain {
    /// Names of middlewares; without `@`, of the same provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    middlewares: Vec<String>,
}

impl Middleware for Chain {
    const NAME: &'static str = "chain";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        self.middlewares.iter().try_for_each(|name| chain.middleware(name))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Origin};

    #[test]
    fn a_missing_member_breaks_the_chain() {
        assert!(testing::chain("chain", "{middlewares: [nothing]}", Origin::ok()).is_err());
        assert!(testing::chain("chain", "{middlewares: []}", Origin::ok()).is_ok());
    }
}
