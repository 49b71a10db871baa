//! [`Report`]: per object, whether it is in force, and if not, why.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_config::Name;
use trafficcop_merger::Note;

/// The state of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    #[default]
    Enabled,
    /// In force, but not all of it as written.
    Warning,
    Disabled,
}

impl Status {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Warning => "warning",
            Self::Disabled => "disabled",
        }
    }
}

/// A load balancer that can be asked which of its servers are up.
pub trait Servers: Send + Sync {
    /// URL or address as configured, and whether it is up.
    fn status(&self) -> Vec<(String, bool)>;

    /// Takes a server out of the rotation, or puts it back; those bound to it stay. Says whether there is such a server.
    fn drain(&self, _server: &str, _drained: bool) -> bool {
        false
    }

    /// Those that are out of the rotation.
    fn drained(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What is known of one object.
#[derive(Clone, Default)]
pub struct ObjectReport {
    pub notes: Vec<Note>,
    /// Of a load balancer that was built.
    pub servers: Option<Arc<dyn Servers>>,
    /// It was never looked at: nobody leads to it. Its defaults are not filled in then, as in Traefik's API.
    pub is_untouched: bool,
}

impl ObjectReport {
    /// Adds a note, unless the same was said already.
    pub(crate) fn push(&mut self, note: Note) {
        if !self.notes.iter().any(|known| known.message == note.message && known.error == note.error) {
            self.notes.push(note);
        }
    }

    pub fn status(&self) -> Status {
        let worst = self.notes.iter().map(|note| note.severity).max();
        worst.map_or(Status::Enabled, |severity| match severity {
            trafficcop_merger::Severity::Warning => Status::Warning,
            trafficcop_merger::Severity::Error => Status::Disabled,
        })
    }
}

/// The objects of one protocol of which there is something to say; all others are simply enabled.
#[derive(Clone, Default)]
pub struct Protocol {
    pub routers: BTreeMap<Name, ObjectReport>,
    pub services: BTreeMap<Name, ObjectReport>,
    pub middlewares: BTreeMap<Name, ObjectReport>,
}

/// What a snapshot says of itself.
#[derive(Clone, Default)]
pub struct Report {
    pub http: Protocol,
    pub tcp: Protocol,
    pub udp: Protocol,
    /// What belongs to none of the objects.
    pub notes: Vec<Note>,
}
