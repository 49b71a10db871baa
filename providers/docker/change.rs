//! [`Change`]: what an event of the engine means to us.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::{EventMessage, EventMessageTypeEnum};

/// Something that happened to a container, named by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It runs from now on, or runs again.
    Started(Arc<str>),
    /// It was sent a signal.
    Signalled(Arc<str>, String),
    /// It stands still but is not gone.
    Paused(Arc<str>),
    /// It does not run any more.
    Ended(Arc<str>),
    /// It exists no more.
    Removed(Arc<str>),
    /// Its health, name or networks are not what they were.
    Altered(Arc<str>),
}

impl Change {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Started(id)
            | Self::Signalled(id, _)
            | Self::Paused(id)
            | Self::Ended(id)
            | Self::Removed(id)
            | Self::Altered(id) => id,
        }
    }

    /// None for what does not concern us, such as commands that health checks run inside.
    pub(crate) fn read(event: EventMessage) -> Option<Self> {
        let actor = event.actor.unwrap_or_default();
        let (id, attributes) = (actor.id?, actor.attributes.unwrap_or_default());
        let action = event.action?;
        match event.typ? {
            EventMessageTypeEnum::CONTAINER => Self::of_container(id.into(), &action, &attributes),
            EventMessageTypeEnum::NETWORK => match action.as_str() {
                "connect" | "disconnect" => Some(Self::Altered(attributes.get("container")?.as_str().into())),
                _ => None,
            },
            _ => None,
        }
    }

    fn of_container(id: Arc<str>, action: &str, attributes: &HashMap<String, String>) -> Option<Self> {
        Some(match action {
            "start" | "unpause" | "restart" => Self::Started(id),
            "kill" => Self::Signalled(id, attributes.get("signal").cloned().unwrap_or_else(|| "15".to_owned())),
            "pause" => Self::Paused(id),
            "die" | "stop" | "oom_stop" => Self::Ended(id),
            "destroy" | "remove" => Self::Removed(id),
            "rename" => Self::Altered(id),
            _ if action.starts_with("health_status") => Self::Altered(id),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[track_caller]
    fn check(event: &str, expected: Option<&Change>) {
        let event = serde_json::from_str(event).unwrap();
        assert_eq!(Change::read(event).as_ref(), expected);
    }

    fn container(action: &str, attributes: &str) -> String {
        format!(
            r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"c1","Attributes":{{{attributes}}}}},"scope":"local","time":1}}"#
        )
    }

    #[test]
    fn containers() {
        let id = || "c1".into();
        check(&container("start", ""), Some(&Change::Started(id())));
        check(&container("unpause", ""), Some(&Change::Started(id())));
        check(&container("kill", r#""signal":"15""#), Some(&Change::Signalled(id(), "15".into())));
        check(&container("kill", ""), Some(&Change::Signalled(id(), "15".into())));
        check(&container("pause", ""), Some(&Change::Paused(id())));
        check(&container("die", r#""exitCode":"0""#), Some(&Change::Ended(id())));
        check(&container("stop", ""), Some(&Change::Ended(id())));
        check(&container("destroy", ""), Some(&Change::Removed(id())));
        check(&container("health_status: healthy", ""), Some(&Change::Altered(id())));
        check(&container("rename", ""), Some(&Change::Altered(id())));
        check(&container("exec_start: wget -q localhost", ""), None);
        check(&container("create", ""), None);
        check(&container("attach", ""), None);
    }

    #[test]
    fn networks() {
        let network = |action: &str| {
            format!(
                r#"{{"Type":"network","Action":"{action}","Actor":{{"ID":"n1","Attributes":{{"container":"c2","name":"web"}}}}}}"#
            )
        };
        check(&network("connect"), Some(&Change::Altered("c2".into())));
        check(&network("disconnect"), Some(&Change::Altered("c2".into())));
        check(&network("create"), None);
    }

    #[test]
    fn others() {
        check(r#"{"Type":"volume","Action":"mount","Actor":{"ID":"v"}}"#, None);
        check(r#"{"Type":"container","Action":"start"}"#, None);
    }
}
