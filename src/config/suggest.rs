//! What was probably meant: the nearest of the names that exist.

/// Below this similarity a suggestion misleads more often than it helps.
const NEAR_ENOUGH: f64 = 0.82;

/// The candidate that is most like `name` without regard to case, if any is alike enough. Of equals the first wins.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let mut best: Option<(&str, f64)> = None;
    for candidate in candidates {
        let score = likeness(&name, &candidate.to_lowercase());
        if score >= NEAR_ENOUGH && best.is_none_or(|(_, highest)| score > highest) {
            best = Some((candidate, score));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// From 0 (nothing in common) to 1 (equal). A name that holds the other whole counts as near: `cert` for `certFile`.
fn likeness(name: &str, candidate: &str) -> f64 {
    let spelled = strsim::jaro_winkler(name, candidate);
    let (short, long) = if name.len() < candidate.len() { (name, candidate) } else { (candidate, name) };
    let contained = if short.len() >= 4 && short.len() * 3 > long.len() && long.contains(short) {
        0.82 + 0.1 * short.len() as f64 / long.len() as f64
    } else {
        0.0
    };
    // Two letters swapped, or one wrong, in a short name: `tsl` for `tls`.
    let slip = if short.len() >= 3 && strsim::osa_distance(name, candidate) <= 1 { 0.9 } else { 0.0 };
    spelled.max(contained).max(slip)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let fields = ["entryPoints", "middlewares", "service", "rule", "priority", "tls", "certFile"];
        assert_eq!(nearest(name, fields), expected, "{name}");
    }

    #[test]
    fn finds_what_was_meant() {
        check("entrypoint", Some("entryPoints"));
        check("Middleware", Some("middlewares"));
        check("sevice", Some("service"));
        check("rules", Some("rule"));
        check("prioritiy", Some("priority"));
        check("cert", Some("certFile"));
        check("tsl", Some("tls"));
    }

    #[test]
    fn stays_silent_when_nothing_is_near() {
        check("loadBalancer", None);
        check("my-service-of-another-name", None);
        check("x", None);
        check("", None);
    }
}
