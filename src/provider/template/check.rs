//! Looks at the names in a template before it is ever rendered.
//!
//! Go refuses an unknown function when it parses, gotmpl only when a call of it is reached; a default rule or a file
//! must not wait for that.

use std::collections::BTreeMap;

use gotmpl::ValueFunc;
use gotmpl::parse::{BranchNode, Expr, ListNode, Node, PipeNode, Pos};
use trafficcop_config::suggest::nearest;

use super::TemplateError;

/// The functions of Go's templates themselves.
const BUILT_IN: [&str; 18] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf",
    "println", "slice",
];

struct Check<'a> {
    source: &'a str,
    functions: &'a BTreeMap<String, ValueFunc>,
    fields: Option<&'a [&'a str]>,
}

/// Refuses functions that do not exist and, when `fields` are given, fields that the data does not have at its root.
pub(super) fn names(
    template: &gotmpl::Template,
    source: &str,
    functions: &BTreeMap<String, ValueFunc>,
    fields: Option<&[&str]>,
) -> Result<(), TemplateError> {
    let main = template.name();
    for name in template.templates() {
        if let Some(body) = template.lookup(name) {
            // Inside a named template the dot is whatever the caller handed over.
            let fields = fields.filter(|_| name == main);
            Check { source, functions, fields }.list(body, name == main)?;
        }
    }
    if let Some(body) = template.lookup(main) {
        Check { source, functions, fields }.list(body, true)?;
    }
    Ok(())
}

impl Check<'_> {
    /// `root` says whether the dot is still the data that the template was given.
    fn list(&self, list: &ListNode, root: bool) -> Result<(), TemplateError> {
        list.nodes.iter().try_for_each(|node| self.node(node, root))
    }

    fn node(&self, node: &Node, root: bool) -> Result<(), TemplateError> {
        match node {
            Node::List(list) => self.list(list, root),
            Node::Action(action) => self.pipe(&action.pipe, root),
            Node::If(branch) => self.branch(branch, root, root),
            Node::Range(branch) | Node::With(branch) => self.branch(branch, root, false),
            Node::Template(call) => call.pipe.as_ref().map_or(Ok(()), |pipe| self.pipe(pipe, root)),
            Node::Define(define) => self.list(&define.body, false),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => Ok(()),
        }
    }

    fn branch(&self, branch: &BranchNode, root: bool, inside: bool) -> Result<(), TemplateError> {
        self.pipe(&branch.pipe, root)?;
        self.list(&branch.body, inside)?;
        branch.else_body.as_ref().map_or(Ok(()), |other| self.list(other, root))
    }

    fn pipe(&self, pipe: &PipeNode, root: bool) -> Result<(), TemplateError> {
        let mut expressions = pipe.commands.iter().flat_map(|command| &command.args);
        expressions.try_for_each(|expression| self.expression(expression, root))
    }

    fn expression(&self, expression: &Expr, root: bool) -> Result<(), TemplateError> {
        match expression {
            Expr::Identifier(at, name) => self.function(*at, name),
            Expr::Field(at, path) if root => self.field(*at, path.first().map(|name| &**name)),
            Expr::Variable(at, name, path) if name == "$" => self.field(*at, path.first().map(|name| &**name)),
            Expr::Pipe(_, pipe) => self.pipe(pipe, root),
            Expr::Chain(_, inner, _) => self.expression(inner, root),
            _ => Ok(()),
        }
    }

    fn function(&self, at: Pos, name: &str) -> Result<(), TemplateError> {
        if name == "urlquery" || BUILT_IN.contains(&name) || self.functions.contains_key(name) {
            return Ok(());
        }
        let known = self.functions.keys().map(String::as_str).chain(BUILT_IN);
        let nearest = nearest(name, known).map(str::to_owned);
        let (line, column) = self.place(at);
        Err(TemplateError::UnknownFunction { line, column, name: name.to_owned(), nearest })
    }

    fn field(&self, at: Pos, name: Option<&str>) -> Result<(), TemplateError> {
        let (Some(fields), Some(name)) = (self.fields, name) else { return Ok(()) };
        if fields.contains(&name) {
            return Ok(());
        }
        let (line, column) = self.place(at);
        let known = fields.iter().map(|field| format!(".{field}")).collect();
        Err(TemplateError::UnknownField { line, column, name: name.to_owned(), known })
    }

    fn place(&self, at: Pos) -> (usize, usize) {
        let before = self.source.get(..at.offset).unwrap_or("");
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        (at.line, before[begin..].chars().count() + 1)
    }
}
