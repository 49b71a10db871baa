//! [`Window`]: from where the API sees the snapshot in force.

use std::ops::Deref;
use std::sync::{Arc, OnceLock, Weak};

use trafficcop_snapshot::{Current, Live, Snapshot};

/// The API is part of the very snapshot it looks at, and exists before there is any. So it holds this, which is opened
/// later and keeps nothing alive.
#[derive(Clone, Default)]
pub struct Window(Arc<OnceLock<Weak<Live>>>);

impl Window {
    /// Says where to look. Only the first time counts.
    pub fn open(&self, live: &Arc<Live>) {
        let _already_open = self.0.set(Arc::downgrade(live));
    }

    /// The snapshot in force; None before the window was opened.
    pub fn look(&self) -> Option<View> {
        Some(View(self.0.get()?.upgrade()?.current(0)))
    }
}

/// The snapshot for as long as one answer takes. It keeps the snapshot alive: not to be held for longer.
pub struct View(Current);

impl View {
    /// The snapshot itself, to be compared with others.
    pub fn shared(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }
}

impl Deref for View {
    type Target = Snapshot;
    fn deref(&self) -> &Snapshot {
        &self.0
    }
}
