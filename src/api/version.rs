//! `/api/version`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trafficcop_config::settings::Settings;

use crate::answer::encode;

/// The whole answer, encoded; the start is now.
pub(crate) fn answer(settings: &Settings) -> String {
    let mut version = Map::new();
    version.insert("Version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    version.insert("Codename".to_owned(), json!("trafficcop"));
    version.insert("startDate".to_owned(), json!(Timestamp::now().to_string()));
    if let Some(api) = &settings.api {
        if api.disable_dashboard_ad {
            version.insert("disableDashboardAd".to_owned(), json!(true));
        }
        if !api.dashboard_name.is_empty() {
            version.insert("dashboardName".to_owned(), json!(api.dashboard_name));
        }
    }
    encode(&Value::Object(version))
}
