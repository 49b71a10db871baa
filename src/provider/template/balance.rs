//! Looks whether blocks are closed: gotmpl takes a missing `{{ end }}` for the end of the text, and drops what follows
//! one that is too many.

use super::TemplateError;

/// Refuses blocks that do not end and ends without a block.
pub(super) fn blocks(source: &str) -> Result<(), TemplateError> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    while let Some(found) = source[at..].find("{{") {
        let begin = at + found;
        let action = source[begin + 2..].strip_prefix("- ").unwrap_or(&source[begin + 2..]).trim_start();
        let length = match action.strip_prefix("/*") {
            Some(remark) => remark.find("*/").map_or(remark.len(), |end| end + 4),
            None => end_of_action(action),
        };
        let word = action.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or("");
        match word {
            "if" | "range" | "with" | "define" | "block" => open.push((word, begin)),
            "end" if open.pop().is_none() => return Err(error(source, begin, "unexpected {{end}}".to_owned())),
            "else" if open.is_empty() => return Err(error(source, begin, "unexpected {{else}}".to_owned())),
            _ => {}
        }
        at = source.len() - action.len() + length;
    }
    match open.pop() {
        None => Ok(()),
        Some((word, begin)) => Err(error(source, begin, format!("{{{{{word}}}}} has no {{{{end}}}}"))),
    }
}

/// Bytes up to and with the closing braces; those inside text do not count.
fn end_of_action(action: &str) -> usize {
    let mut letters = action.char_indices();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '}' if action[index..].starts_with("}}") => return index + 2,
            '"' | '\'' => {
                while let Some((_, inner)) = letters.next() {
                    match inner {
                        '\\' => drop(letters.next()),
                        _ if inner == letter => break,
                        _ => {}
                    }
                }
            }
            '`' => drop(letters.find(|(_, inner)| *inner == '`')),
            _ => {}
        }
    }
    action.len()
}

fn error(source: &str, at: usize, message: String) -> TemplateError {
    let before = &source[..at];
    let column = before[before.rfind('\n').map_or(0, |newline| newline + 1)..].chars().count() + 1;
    TemplateError::Syntax { line: before.matches('\n').count() + 1, column, message }
}
