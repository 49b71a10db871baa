//! What is wrong, in Traefik's words: its API shows them, and tools look for them. What it never says stays in ours.

use trafficcop_router::RuleError;

/// Why a rule cannot be used.
pub(super) fn rule(rule: &str, error: &RuleError) -> String {
    let message = error.message.as_str();
    if let Some(matcher) = between(message, "there is no matcher `", "`") {
        return format!("parsing rule {rule}: unsupported function: {matcher}");
    }
    if let Some((matcher, rest)) = message.split_once(" takes ")
        && let Some((wanted, got)) = rest.split_once(", not ")
    {
        let wanted = counts(wanted);
        let what = format!("unexpected number of parameters; got {got}, expected one of [{wanted}]");
        return format!("adding rule {rule}: error while adding rule {matcher}: {what}");
    }
    let column = error.column;
    let ends = ["the rule is empty", "the rule ends too early"].contains(&message);
    let expected = error.expected.as_deref().unwrap_or("");
    if ends && expected.starts_with("a matcher") {
        return format!("parsing rule {rule}: 1:{column}: expected operand, found 'EOF'");
    }
    if ends && expected.contains("`)`") {
        return format!("parsing rule {rule}: 1:{column}: missing ',' before newline in argument list");
    }
    let what = match between(message, "the path `", "` does not begin with a slash") {
        Some(path) => format!("path {path:?} does not start with a '/'"),
        None => message.to_owned(),
    };
    match matcher_before(rule, column) {
        Some(matcher) => format!("adding rule {rule}: error while adding rule {matcher}: {what}"),
        None => format!("parsing rule {rule}: 1:{column}: {what}"),
    }
}

/// Why TLS options cannot be used.
pub(super) fn tls(problem: &str) -> String {
    let subject = |ending: &str| problem.strip_suffix(ending);
    if let Some(suite) = subject(" is not a cipher suite") {
        return format!("invalid CipherSuite: {suite}");
    }
    if let Some(curve) = subject(" is not a curve") {
        return format!("invalid CurveID in curvePreferences: {curve}");
    }
    if let Some(kind) = subject(" is not a kind of client authentication") {
        return format!("unknown client auth type {kind:?}");
    }
    if let Some(kind) = between(problem, "client authentication ", " needs caFiles") {
        return format!("invalid clientAuthType: {kind}, CAFiles is required");
    }
    problem.to_owned()
}

/// Why a middleware cannot be built. What a regular expression's error draws over several lines becomes one.
pub(super) fn middleware(problem: &str) -> String {
    let Some(drawn) = problem.strip_prefix("regex parse error:\n") else { return problem.to_owned() };
    let pattern = drawn.lines().next().unwrap_or("").trim();
    let what = match drawn.lines().last().map_or("", |line| line.trim_start_matches("error: ")) {
        "unclosed group" => "missing closing )",
        "unopened group" => "unexpected )",
        "unclosed character class" => "missing closing ]",
        "repetition operator missing expression" => "missing argument to repetition operator",
        other => other,
    };
    format!("error parsing regexp: {what}: `{pattern}`")
}

/// Why a server's URL cannot be used.
pub(super) fn url(url: &str, problem: &str) -> String {
    let problem = if problem == "the scheme is missing" { "missing protocol scheme" } else { problem };
    format!("error parsing server URL {url}: parse {url:?}: {problem}")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// `exactly one argument` → `1`; `1 or 2 arguments` → `1 2`.
fn counts(wanted: &str) -> String {
    let numbers = wanted.split(' ').filter_map(|word| match word {
        "one" => Some("1"),
        word if word.bytes().all(|byte| byte.is_ascii_digit()) => Some(word),
        _ => None,
    });
    numbers.collect::<Vec<_>>().join(" ")
}

/// The matcher whose argument stands at this column, or which begins there.
fn matcher_before(rule: &str, column: usize) -> Option<&str> {
    let at = rule.char_indices().nth(column - 1).map_or(rule.len(), |(at, _)| at);
    let is_name = |letter: char| letter.is_alphanumeric();
    if rule[at..].starts_with(is_name) && !rule[..at].ends_with(['`', '"']) {
        let name = rule[at..].split(|letter| !is_name(letter)).next()?;
        if rule[at + name.len()..].starts_with('(') {
            return Some(name);
        }
    }
    let before = rule[..at].rsplit_once('(')?.0;
    let name = before.rsplit(|letter| !is_name(letter)).next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use trafficcop_router::Syntax;
    use trafficcop_router::rule::parse_http;

    #[track_caller]
    fn check(rule: &str, expected: &str) {
        let error = parse_http(rule, Syntax::V3).expect_err("the rule is wrong");
        assert_eq!(super::rule(rule, &error), expected);
    }

    #[test]
    fn a_drawn_error_becomes_one_line() {
        let drawn = "regex parse error:\n    (\n    ^\nerror: unclosed group";
        assert_eq!(super::middleware(drawn), "error parsing regexp: missing closing ): `(`");
        assert_eq!(super::middleware("no users found"), "no users found");
    }

    #[test]
    fn rules() {
        check("Nope(`x`)", "parsing rule Nope(`x`): unsupported function: Nope");
        check(
            "Host(`x`,`y`)",
            "adding rule Host(`x`,`y`): error while adding rule Host: unexpected number of parameters; got 2, expected \
             one of [1]",
        );
        check("", "parsing rule : 1:1: expected operand, found 'EOF'");
        check("Host(`x`) && ", "parsing rule Host(`x`) && : 1:14: expected operand, found 'EOF'");
        check("Host(`x`", "parsing rule Host(`x`: 1:9: missing ',' before newline in argument list");
        check(
            "Host(`a`) && Path(`x`)",
            "adding rule Host(`a`) && Path(`x`): error while adding rule Path: path \"x\" does not start with a '/'",
        );
    }
}
