//! The text format that Prometheus reads.

use std::fmt::{Display, Write as _};

/// A page under construction. Series of a family must follow its head.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a family. `kind`: counter, gauge or histogram.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _text_takes_all = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _text_takes_all = write!(self.0, "{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _text_takes_all = writeln!(self.0, " {value}");
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_quotes() {
        let mut page = Page::default();
        page.family("a", "gauge", "Help.");
        page.sample("a", &[], 1.5);
        page.sample("a", &[("x", "1\"} 7\n\\"), ("y", "")], 2);
        let expected = "# HELP a Help.\n# TYPE a gauge\na 1.5\na{x=\"1\\\"} 7\\n\\\\\",y=\"\"} 2\n";
        assert_eq!(page.into_text(), expected);
    }
}
