//! Texts of which one must be in whatever a pattern matches. The index looks for them before it tries the pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::Pattern;

/// Shorter texts are in too much to be worth looking for.
const MIN_LENGTH: usize = 3;

/// The most alternatives that are followed.
const MAX_CHOICES: usize = 64;

/// At least one of these is in everything that the pattern matches.
pub(crate) type OneOf = Vec<Box<[u8]>>;

impl Pattern {
    /// Each of these holds for the pattern. None, when nothing is certain.
    ///
    /// With `lower`, the texts are those for a subject that is known to be lower-case ASCII.
    pub(crate) fn parts(&self, lower: bool) -> Vec<OneOf> {
        let Ok(hir) = regex_syntax::parse(self.regex.as_str()) else { return Vec::new() };
        let mut found = parts(&hir, lower);
        found.retain(|texts| texts.len() <= MAX_CHOICES && shortest(texts) >= MIN_LENGTH);
        found
    }
}

fn parts(hir: &Hir, lower: bool) -> Vec<OneOf> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => row(std::slice::from_ref(hir), lower),
        HirKind::Repetition(repetition) if repetition.min > 0 => parts(&repetition.sub, lower),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => Vec::new(),
        HirKind::Capture(capture) => parts(&capture.sub, lower),
        HirKind::Concat(subs) => row(subs, lower),
        HirKind::Alternation(subs) => {
            // Of each alternative its longest text; nothing is certain if one has none.
            let best = |sub| parts(sub, lower).into_iter().max_by_key(shortest);
            let all: Option<Vec<OneOf>> = subs.iter().map(best).collect();
            all.map(|texts| vec![texts.concat()]).unwrap_or_default()
        }
    }
}

/// What follows one another: adjacent texts are one.
fn row(subs: &[Hir], lower: bool) -> Vec<OneOf> {
    let mut found = Vec::new();
    let mut run = Vec::new();
    for sub in subs {
        match sub.kind() {
            HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
            HirKind::Class(class) if lower && folded(class).is_some() => run.extend(folded(class)),
            // Nothing lies at a boundary, so it parts nothing.
            HirKind::Look(_) => {}
            HirKind::Class(_) => end(&mut run, &mut found),
            _ => {
                end(&mut run, &mut found);
                found.extend(parts(sub, lower));
            }
        }
    }
    end(&mut run, &mut found);
    found
}

fn end(run: &mut Vec<u8>, found: &mut Vec<OneOf>) {
    if !run.is_empty() {
        found.push(vec![std::mem::take(run).into()]);
    }
}

/// The only letter of the class that a lower-case ASCII text can have: what ignoring letter case makes of a letter.
fn folded(class: &Class) -> Option<u8> {
    let Class::Unicode(class) = class else { return None };
    let mut possible = (0..=0x7f_u8).filter(|byte| {
        let letter = char::from(*byte);
        !letter.is_ascii_uppercase() && class.iter().any(|range| (range.start()..=range.end()).contains(&letter))
    });
    let only = possible.next()?;
    possible.next().is_none().then_some(only)
}

pub(crate) fn shortest(texts: &OneOf) -> usize {
    texts.iter().map(|text| text.len()).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[track_caller]
    fn check(pattern: &str, lower: bool, expected: &[&[&str]]) {
        let found = Pattern::compile(pattern).unwrap().parts(lower);
        let found: Vec<Vec<_>> =
            found.iter().map(|texts| texts.iter().map(|text| std::str::from_utf8(text).unwrap()).collect()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_what_is_certain() {
        check(r"^[a-z]+\.app-1\.example$", false, &[&[".app-1.example"]]);
        check(r"^/api/[0-9]+/users$", false, &[&["/api/"], &["/users"]]);
        check("^(?:shop|store)[0-9]", false, &[&["shop", "store"]]);
        check("^(?:shop|[a-z]+)$", false, &[]);
        check("(?:shop)?", false, &[]);
        check("(?:shop)+", false, &[&["shop"]]);
        check("(?:shop){0,3}abc", false, &[&["abc"]]);
        check("ab[0-9]cd", false, &[]);
        check("(?i)shop", false, &[]);
        check(r"(?i)shop\.example", true, &[&["shop.example"]]);
        check(r"\bshop", false, &[&["shop"]]);
        check(".*", false, &[]);
    }
}
