//! How matchers are called: in four letter cases, and what was meant when it is none of them.

use super::parse::Call;
use super::{RuleError, Syntax};

/// How alike two names must be for one to be what was meant.
const ALIKE: f64 = 0.8;

/// The names of one syntax, and those of the other for better advice.
pub(crate) struct Names {
    pub(crate) here: &'static [&'static str],
    /// Names of the other syntax, each with what to write instead.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
    pub(crate) syntax: Syntax,
}

impl Names {
    /// The canonical name of the matcher that is called.
    pub(crate) fn resolve(&self, source: &str, call: &Call) -> Result<&'static str, RuleError> {
        let written = call.name.as_str();
        if let Some(name) = self.here.iter().find(|name| is_written(name, written)) {
            return Ok(name);
        }
        let mut error = RuleError::at(source, call.span.clone(), &format!("there is no matcher `{written}`"));
        if let Some(name) = self.here.iter().find(|name| name.eq_ignore_ascii_case(written)) {
            error.message = format!("`{written}` has an unusual letter case");
            error.nearest = Some(name);
            return Err(error.expecting(Some(&format!(
                "`{name}`, `{}` or `{}`",
                name.to_lowercase(),
                name.to_uppercase()
            ))));
        }
        if let Some((_, instead)) = self.elsewhere.iter().find(|(name, _)| name.eq_ignore_ascii_case(written)) {
            let (this, other) = match self.syntax {
                Syntax::V3 => ("v3", "v2"),
                Syntax::V2 => ("v2", "v3"),
            };
            error.message = format!("`{written}` belongs to rule syntax {other}, this rule has syntax {this}");
            error.nearest = self.here.iter().find(|name| instead.starts_with(**name)).copied();
            return Err(error.expecting(Some(instead)));
        }
        error.nearest = self.nearest(written);
        if error.nearest.is_none() {
            return Err(error.expecting(Some(&format!("one of {}", self.here.join(", ")))));
        }
        Err(error)
    }

    fn nearest(&self, written: &str) -> Option<&'static str> {
        let written = written.to_lowercase();
        let alike = |name: &&'static str| strsim::jaro_winkler(&name.to_lowercase(), &written);
        let best = self.here.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
        (alike(best) >= ALIKE).then_some(*best)
    }
}

/// Exact, lower-case, upper-case, or with only the first letter in upper-case.
pub(crate) fn is_written(name: &str, written: &str) -> bool {
    if !name.eq_ignore_ascii_case(written) {
        return false;
    }
    let is_lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_title = || written[..1].bytes().all(|byte| byte.is_ascii_uppercase()) && is_lower(&written[1..]);
    name == written || is_lower(written) || written.bytes().all(|byte| byte.is_ascii_uppercase()) || is_title()
}
