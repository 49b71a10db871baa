//! From [`Node`] to typed models: tolerant where Traefik is (case of keys, numbers as text, lists with commas, `true`
//! for an empty section), and complete in its errors.

pub(crate) mod handover;

use serde::de::DeserializeOwned;

use crate::{ConfigErrors, Node};

impl Node {
    /// Decodes the whole tree, or says everything that is wrong with it.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ConfigErrors> {
        unimplemented!()
    }
}
