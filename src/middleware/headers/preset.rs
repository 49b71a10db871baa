//! Presets: one switch for the security headers that a site should have. What is set beside a preset stays.

use super::Headers;
use crate::BuildError;

/// Fills in what the preset says and the settings do not.
pub(super) fn apply(mut settings: Headers) -> Result<Headers, BuildError> {
    let is_strict = match settings.preset.as_str() {
        "" => return Ok(settings),
        "basic" => false,
        "strict" => true,
        other => return Err(BuildError::invalid(format!("preset {other:?}: basic or strict expected"))),
    };
    let fill = |option: &mut String, value: &str| {
        if option.is_empty() {
            value.clone_into(option);
        }
    };
    if settings.sts_seconds == 0 {
        settings.sts_seconds = 31_536_000;
        settings.sts_include_subdomains |= is_strict;
    }
    settings.content_type_nosniff = true;
    if !settings.frame_deny {
        fill(&mut settings.custom_frame_options_value, if is_strict { "DENY" } else { "SAMEORIGIN" });
    }
    let referrer = if is_strict { "no-referrer" } else { "strict-origin-when-cross-origin" };
    fill(&mut settings.referrer_policy, referrer);
    if is_strict {
        let policy = "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";
        fill(&mut settings.content_security_policy, policy);
        fill(&mut settings.permissions_policy, "camera=(), geolocation=(), microphone=()");
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, expected: &[(&str, Option<&str>)]) {
        let chain = testing::chain("headers", settings, Origin::ok()).expect("good settings");
        let answer = testing::run(&chain, testing::request(Method::GET, "/"), &mut testing::exchange());
        for (name, value) in expected {
            assert_eq!(answer.headers.get_str(name), *value, "{settings}: {name}");
        }
    }

    #[test]
    fn a_preset_fills_in_what_is_not_set() {
        let hsts = "Strict-Transport-Security";
        check("{preset: basic}", &[(hsts, None), ("X-Frame-Options", Some("SAMEORIGIN"))]);
        check("{preset: basic}", &[("X-Content-Type-Options", Some("nosniff")), ("Content-Security-Policy", None)]);
        check("{preset: basic, forceSTSHeader: true}", &[(hsts, Some("max-age=31536000"))]);
        check("{preset: strict, forceSTSHeader: true}", &[(hsts, Some("max-age=31536000; includeSubDomains"))]);
        check(
            "{preset: strict, contentSecurityPolicy: default-src *, customFrameOptionsValue: SAMEORIGIN}",
            &[("Content-Security-Policy", Some("default-src *")), ("X-Frame-Options", Some("SAMEORIGIN"))],
        );
        assert!(testing::chain("headers", "{preset: hard}", Origin::ok()).is_err());
    }
}
