//! Command line flags: `--entrypoints.web.address=:80`.

#[cfg(test)]
mod tests;

use super::syntax;
use super::tree::{Tree, steps};
use crate::shape::{Kind, Shape};
use crate::{ConfigErrors, Node, Origin, Scalar, Value};

/// Reads flags. One dash or two, `=value` or the next argument; names in any case. The shape of the model says which
/// flags may stand without a value (booleans and sections: `true`) and which accumulate when repeated (lists).
/// What follows `--` is not read. An unknown flag is not refused here: the decoder does that, with the nearest right
/// name.
pub fn read<'a>(arguments: impl IntoIterator<Item = &'a str>, shape: &Shape) -> Result<Node, ConfigErrors> {
    let mut tree = Tree::default();
    let mut errors = Vec::new();
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next().filter(|argument| *argument != "--") {
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            errors.push(syntax(Origin::Unknown, format!("{argument:?} is not a flag; flags begin with --")));
            continue;
        };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
        let at = Origin::Flag(name.into());
        if name.is_empty() || name.starts_with('-') {
            errors.push(syntax(Origin::Unknown, format!("bad flag syntax: {argument}")));
            continue;
        }
        match steps(name, &at) {
            Ok(path) => {
                let kind = shape.kind_of(&path);
                let next = || arguments.next_if(|_| takes_next(kind));
                match value.or_else(next).or_else(|| stands_alone(kind)) {
                    Some(text) => set(&mut tree, &path, text, kind, &at),
                    None => errors.push(syntax(at, "this flag needs a value")),
                }
            }
            Err(wrong) => errors.extend(wrong.0),
        }
    }
    ConfigErrors(errors).into_result()?;
    Ok(tree.into_node())
}

fn takes_next(kind: Option<Kind>) -> bool {
    !matches!(kind, None | Some(Kind::Bool | Kind::Section | Kind::Map | Kind::Any))
}

/// What a flag without a value means.
fn stands_alone(kind: Option<Kind>) -> Option<&'static str> {
    (!takes_next(kind)).then_some("true")
}

fn set(tree: &mut Tree, path: &[&str], text: &str, kind: Option<Kind>, at: &Origin) {
    let earlier = match tree.text_at(path.iter().copied()) {
        Some(Node { value: Value::Scalar(Scalar::Text(earlier)), .. }) if kind == Some(Kind::List) => {
            Some(format!("{earlier},{text}"))
        }
        _ => None,
    };
    tree.insert(path.iter().copied(), earlier.as_deref().unwrap_or(text), at);
}
