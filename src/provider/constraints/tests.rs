use proptest::prelude::*;

use super::{Constraints, Subject};

const LABELS: [(&str, &str); 4] = [("env", "prod"), ("tier", "web-1"), ("traefik.tags", "a,b"), ("empty", "")];

#[track_caller]
fn check(expression: &str, expected: bool) {
    let label = |key: &str| LABELS.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let constraints = Constraints::parse(expression, Subject::Labels).unwrap();
    assert_eq!(constraints.hold_for_labels(label), expected, "{expression}");
}

#[track_caller]
fn check_tags(expression: &str, expected: bool) {
    let constraints = Constraints::parse(expression, Subject::Tags).unwrap();
    assert_eq!(constraints.hold_for_tags(&["prod", "web-1"]), expected, "{expression}");
}

#[track_caller]
fn check_error(expression: &str, subject: Subject, expected: &str) {
    assert_eq!(Constraints::parse(expression, subject).unwrap_err().to_string(), expected, "{expression}");
}

#[test]
fn labels() {
    check("", true);
    check("  ", true);
    check("Label(`env`,`prod`)", true);
    check("Label(`env`, `dev`)", false);
    check("Label(`ENV`,`prod`)", false);
    check("Label(`missing`,``)", false);
    check("Label(`empty`,``)", true);
    check("Label(\"env\",\"prod\")", true);
    check("Label(`traefik.tags`,`a,b`)", true);
}

#[test]
fn patterns_search_anywhere() {
    check("LabelRegex(`tier`,`^web-\\d$`)", true);
    check("LabelRegex(`tier`,`eb`)", true);
    check("LabelRegex(`tier`,`^db`)", false);
    check("LabelRegex(`missing`,`.*`)", false);
}

#[test]
fn operators() {
    check("!Label(`env`,`dev`)", true);
    check("!!Label(`env`,`prod`)", true);
    check("Label(`env`,`prod`) && Label(`tier`,`web-1`)", true);
    check("Label(`env`,`prod`)&&!LabelRegex(`tier`,`web`)", false);
    check("Label(`env`,`dev`) || LabelRegex(`tier`,`web`)", true);
    // `&&` binds closer than `||`.
    check("Label(`env`,`prod`) || Label(`env`,`dev`) && Label(`env`,`dev`)", true);
    check("(Label(`env`,`prod`) || Label(`env`,`dev`)) && Label(`env`,`dev`)", false);
    check("!(Label(`env`,`dev`) || Label(`env`,`prod`))", false);
}

#[test]
fn tags() {
    check_tags("Tag(`prod`)", true);
    check_tags("Tag(`pro`)", false);
    check_tags("TagRegex(`^web`) && !Tag(`dev`)", true);
    check_tags("", true);
}

#[test]
fn mistakes_name_their_column() {
    let labels = Subject::Labels;
    check_error("Label(`env`)", labels, "column 12: expected a comma and the value");
    check_error(
        "Labels(`a`,`b`)",
        labels,
        "column 1: unsupported function: Labels; there is Label and LabelRegex (did you mean Label?)",
    );
    check_error("Tag(`a`)", labels, "column 1: unsupported function: Tag; there is Label and LabelRegex");
    check_error("Label(`a`,`b`)", Subject::Tags, "column 1: unsupported function: Label; there is Tag and TagRegex");
    check_error("Label(`a`,`b`) Label(`a`,`b`)", labels, "column 16: expected &&, || or the end");
    check_error("Label(`a`,`b`) &&", labels, "column 18: expected Label, LabelRegex, ! or (");
    check_error("Label(`a`,`b", labels, "column 11: the text that begins with ` does not end");
    check_error("(Label(`a`,`b`)", labels, "column 16: expected )");
    check_error("Label(`a`,`b`) & Label(`a`,`b`)", labels, "column 16: unexpected '&'");
    check_error("Label(a,`b`)", labels, "column 7: expected text in back quotes");
    check_error("LabelRegex(`a`,`(`)", labels, "column 16: not a regular expression: unclosed group");
    check_error(&"!".repeat(100), labels, "column 65: nested more than 64 deep");
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "(Label|LabelRegex|Tag|[(]|[)]|,|&&|[|][|]|!|`[a-z(]{0,3}`|\"[a-z\\\\]{0,2}\"|[ é&|`]){0,12}") {
        for subject in [Subject::Labels, Subject::Tags] {
            if let Ok(constraints) = Constraints::parse(&text, subject) {
                constraints.hold_for_labels(|_| Some("a"));
                constraints.hold_for_tags(&["a"]);
            }
        }
    }
}
