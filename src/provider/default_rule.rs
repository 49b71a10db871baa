//! [`DefaultRule`]: the rule of a router that has none of its own, made from a template by the workload's name and labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::template::{Dialect, Template, TemplateError, Value};

/// What a default rule may use of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The name of its automatic objects.
    pub name: &'a str,
    /// The container's own name; sources without containers have none.
    pub container_name: Option<&'a str>,
    pub labels: &'a BTreeMap<String, String>,
}

/// A template that was tried once. See [`DefaultRule::flaw`] for what that may have found.
#[derive(Debug)]
pub struct DefaultRule {
    template: Result<Template, TemplateError>,
}

const FIELDS: [&str; 3] = ["Name", "ContainerName", "Labels"];

impl DefaultRule {
    /// Reads the template. Bad syntax and unknown functions are errors here, as they stop the provider in Traefik.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let template = match Template::parse(source, Dialect::Rule, Some(&FIELDS)) {
            // Workloads whose routers state their rules never come near it, so they must not suffer.
            Err(flaw @ TemplateError::UnknownField { .. }) => Err(flaw),
            other => Ok(other?),
        };
        Ok(Self { template })
    }

    /// What is known to go wrong for every router that needs the default rule.
    pub fn flaw(&self) -> Option<&TemplateError> {
        self.template.as_ref().err()
    }

    /// The rule for this workload; nothing when the template renders to nothing.
    pub fn render(&self, subject: Subject<'_>) -> Result<Option<String>, TemplateError> {
        let template = self.template.as_ref().map_err(TemplateError::clone)?;
        let rule = template.render(&subject.data())?;
        Ok(Some(rule).filter(|rule| !rule.is_empty()))
    }
}

impl Subject<'_> {
    fn data(&self) -> Value {
        let labels = self.labels.iter().map(|(key, value)| (Arc::from(key.as_str()), Value::from(value.as_str())));
        let mut data: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        data.insert("Name".into(), self.name.into());
        data.insert("ContainerName".into(), self.container_name.unwrap_or("").into());
        data.insert("Labels".into(), Value::Map(Arc::new(labels.collect())));
        Value::Map(Arc::new(data))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{DefaultRule, Subject};

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let labels = BTreeMap::from([("app".to_owned(), "Shop".to_owned()), ("a.b".to_owned(), "c".to_owned())]);
        let subject = Subject { name: "web-app", container_name: Some("app_web_1"), labels: &labels };
        let rule = DefaultRule::parse(source).unwrap().render(subject).unwrap();
        assert_eq!(rule.as_deref().unwrap_or(""), expected, "{source}");
    }

    #[track_caller]
    fn check_error(source: &str, expected: &str) {
        assert_eq!(DefaultRule::parse(source).unwrap_err().to_string(), expected, "{source}");
    }

    // Compared with Traefik 3.7.15.
    #[test]
    fn rules() {
        check("Host(`{{ normalize .Name }}`)", "Host(`web-app`)");
        check("Host(`{{ .Name }}.{{ .ContainerName }}`)", "Host(`web-app.app_web_1`)");
        check("{{ index .Labels \"app\" | lower }}", "shop");
        check("{{ index .Labels \"a.b\" }}", "c");
        check("{{ .Labels.app }}", "Shop");
        check("{{ .Labels.nope }}", "<no value>");
        check("{{ index .Labels \"nope\" }}", "");
        check(
            "Host(`{{ index .Labels \"host\" | default (printf \"%s.example.com\" .Name) }}`)",
            "Host(`web-app.example.com`)",
        );
        check("{{ (split \"-\" .Name)._1 }}", "app");
        check("{{ if eq .Name \"web-app\" }}yes{{ else }}no{{ end }}", "yes");
        check(
            "{{ range $key, $value := .Labels }}{{ $key }}={{ $value }};{{ $.Name }} {{ end }}",
            "a.b=c;web-app app=Shop;web-app ",
        );
        check("{{ trimPrefix `/` .ContainerName | replace \"_\" \"-\" | trunc 7 }}", "app-web");
    }

    #[test]
    fn mistakes_are_found_when_it_is_read() {
        check_error("{{ nofun .Name }}", "line 1, column 4: function \"nofun\" not defined");
        check_error(
            "{{ if false }}{{ normalise .Name }}{{ end }}",
            "line 1, column 18: function \"normalise\" not defined (did you mean normalize?)",
        );
        check_error(
            "a\n{{ range .Labels }}{{ uper . }}{{ end }}",
            "line 2, column 23: function \"uper\" not defined (did you mean upper?)",
        );
        assert!(DefaultRule::parse("{{ .Name ").is_err());
        assert!(DefaultRule::parse("{{ end }}").is_err());
    }

    #[test]
    fn an_unknown_field_harms_only_who_needs_the_rule() {
        let rule = DefaultRule::parse("Host(`{{ .Domain }}`)").unwrap();
        let expected = "line 1, column 10: can't evaluate field Domain: there is .Name, .ContainerName, .Labels";
        assert_eq!(rule.flaw().unwrap().to_string(), expected);
        let labels = BTreeMap::new();
        assert!(rule.render(Subject { name: "a", container_name: None, labels: &labels }).is_err());
    }

    #[test]
    fn fields_of_inner_values_are_not_mistaken_for_the_workload_s() {
        assert!(DefaultRule::parse("{{ with .Labels }}{{ .app }}{{ end }}").unwrap().flaw().is_none());
        assert!(DefaultRule::parse("{{ with .Labels }}{{ $.Nope }}{{ end }}").unwrap().flaw().is_some());
    }
}
