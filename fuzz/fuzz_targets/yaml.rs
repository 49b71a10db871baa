//! YAML: read into a tree and decoded as a dynamic configuration, within the bounds of the reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trafficcop_config::dynamic::document::decode;
use trafficcop_config::read::{Format, document};

fuzz_target!(|text: &str| {
    let Ok(node) = document(text, Format::Yaml, "fuzz.yml") else { return };
    match decode(&node) {
        Ok(configuration) => assert_eq!(Ok(configuration), decode(&node).map_err(|errors| errors.to_string())),
        Err(errors) => assert!(!errors.0.is_empty(), "refused without a reason"),
    }
});
