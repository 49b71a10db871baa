//! The templates of rule syntax v2: text in which `{name}` and `{name:pattern}` stand for what varies.

use crate::pattern::{Pattern, PatternError, translated};

/// How a template is matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// The pattern of a variable that has none.
    pub(crate) variable: &'static str,
    /// Text may follow.
    pub(crate) is_prefix: bool,
    /// Letter case does not matter.
    pub(crate) ignores_case: bool,
}

/// A template, ready to be matched.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// Nothing varies.
    Text(String),
    /// Anchored; the text begins with `head`.
    Pattern { head: String, pattern: Pattern },
}

impl Template {
    pub(crate) fn new(text: &str, style: Style) -> Result<Self, PatternError> {
        let variables = braces(text)?;
        let Some(first) = variables.first() else { return Ok(Self::Text(text.to_owned())) };
        let head = text[..first.0].to_owned();
        let mut pattern = String::from(if style.ignores_case { "(?i)^" } else { "^" });
        let mut done = 0;
        for (start, end) in variables {
            pattern.push_str(&regex::escape(&text[done..start]));
            let inner = &text[start + 1..end - 1];
            let (name, own) = inner.split_once(':').unwrap_or((inner, style.variable));
            if name.is_empty() || own.is_empty() {
                let message = "a variable needs a name and a pattern: {name} or {name:pattern}".to_owned();
                return Err(PatternError { at: Some(start), message });
            }
            let offset = start + 1 + name.len() + 1;
            let own = translated(own).map_err(|error| PatternError { at: error.at.map(|at| at + offset), ..error })?;
            pattern.push('(');
            pattern.push_str(&own);
            pattern.push(')');
            done = end;
        }
        pattern.push_str(&regex::escape(&text[done..]));
        if !style.is_prefix {
            pattern.push('$');
        }
        Ok(Self::Pattern { head, pattern: Pattern::compile_translated(&pattern)? })
    }
}

/// The names of the variables in a template.
pub(crate) fn variables(text: &str) -> Result<Vec<&str>, PatternError> {
    let name = |inner: &'_ str| inner.find(':').unwrap_or(inner.len());
    Ok(braces(text)?.into_iter().map(|(start, end)| &text[start + 1..][..name(&text[start + 1..end - 1])]).collect())
}

/// Where the outermost braces begin and end.
fn braces(text: &str) -> Result<Vec<(usize, usize)>, PatternError> {
    let unbalanced = |at| PatternError { at: Some(at), message: "braces are not balanced".to_owned() };
    let (mut level, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => {
                if level == 0 {
                    start = at;
                }
                level += 1;
            }
            b'}' => {
                level = level.checked_sub(1).ok_or_else(|| unbalanced(at))?;
                if level == 0 {
                    found.push((start, at + 1));
                }
            }
            _ => {}
        }
    }
    if level == 0 { Ok(found) } else { Err(unbalanced(start)) }
}

#[cfg(test)]
mod tests {
    use super::{Style, Template};

    const PATH: Style = Style { variable: "[^/]+", is_prefix: false, ignores_case: false };

    #[track_caller]
    fn check(template: &str, style: Style, matching: &[&str], other: &[&str]) {
        let Template::Pattern { pattern, .. } = Template::new(template, style).unwrap() else {
            panic!("nothing varies")
        };
        for text in matching {
            assert!(pattern.is_match(text), "{template} should match {text}");
        }
        for text in other {
            assert!(!pattern.is_match(text), "{template} should not match {text}");
        }
    }

    #[test]
    fn variables_stand_for_patterns() {
        check("/a.b/{id}", PATH, &["/a.b/1"], &["/a.b/", "/a.b/1/2", "/axb/1"]);
        check("/{id:[0-9]{2}}/x", PATH, &["/12/x"], &["/1/x", "/12/xy"]);
        check("/{a:x|y}{b}", PATH, &["/xz", "/yz"], &["/x", "/z"]);
        check("/{id}", Style { is_prefix: true, ..PATH }, &["/1/2"], &["/"]);
        check("{a}.b", Style { variable: "[^.]+", ignores_case: true, ..PATH }, &["X.B"], &["x.y.b"]);
    }

    #[test]
    fn without_variables_it_is_text() {
        assert!(matches!(Template::new("/a.b", PATH), Ok(Template::Text(text)) if text == "/a.b"));
    }

    #[test]
    fn errors_say_where() {
        let refused = |template: &str| Template::new(template, PATH).unwrap_err().at;
        assert_eq!(refused("/{a"), Some(1));
        assert_eq!(refused("/a}"), Some(2));
        assert_eq!(refused("/{:x}"), Some(1));
        assert_eq!(refused("/{a:}"), Some(1));
        assert_eq!(refused("/{a:[z-a]}"), Some(5));
    }
}
