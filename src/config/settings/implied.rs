//! What Traefik adds to the settings by itself: entry points that something needs and nobody declared.

use super::{EntryPoint, Settings};

/// Name of the entry point of API, health endpoint and metrics unless told otherwise.
pub const INTERNAL: &str = "traefik";

impl Settings {
    /// Adds the entry points that are needed and not declared, and spreads what holds for all entry points.
    #[must_use]
    pub fn completed(mut self) -> Self {
        if self.entry_points.is_empty() {
            self.entry_points.insert("http".into(), listening_on(":80"));
        }
        if self.needs_internal_entry_point() {
            self.entry_points.entry(INTERNAL.into()).or_insert_with(|| listening_on(":8080"));
        }
        if self.global.not_append_x_forwarded_for {
            for entry_point in self.entry_points.values_mut() {
                entry_point.forwarded_headers.not_append_x_forwarded_for = true;
            }
        }
        self
    }

    fn needs_internal_entry_point(&self) -> bool {
        let api = self.api.as_ref().is_some_and(|api| api.insecure);
        let ping = self.ping.as_ref().is_some_and(|ping| !ping.manual_routing && ping.entry_point == INTERNAL);
        let prometheus = self.metrics.as_ref().and_then(|metrics| metrics.prometheus.as_ref());
        let metrics = prometheus.is_some_and(|metrics| !metrics.manual_routing && metrics.entry_point == INTERNAL);
        let rest = self.providers.rest.as_ref().is_some_and(|rest| rest.insecure);
        api || ping || metrics || rest
    }
}

fn listening_on(address: &str) -> EntryPoint {
    EntryPoint { address: address.into(), ..EntryPoint::default() }
}
