//! [`Status`]: up or down, and who is told.
//!
//! A leaf is one server; its checks set it. A group is up while at least one of its members is. A change travels
//! upwards when it happens, so that asking is one atomic read.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// See the module.
#[derive(Debug)]
pub struct Status {
    /// A leaf's own state.
    up: AtomicBool,
    /// How many members of a group are up.
    members_up: AtomicUsize,
    is_group: bool,
    /// Somebody wants it to have no new clients; those it has may stay.
    drained: AtomicBool,
    /// The groups that count this one as a member. Groups come and go with snapshots, hence weak.
    groups: Mutex<Vec<Weak<Status>>>,
}

impl Status {
    /// A leaf, which starts as up.
    pub fn leaf() -> Arc<Self> {
        Arc::new(Self::with(true, 0, false))
    }

    /// A group of these members. Without members it is down.
    pub fn any_of<'a>(members: impl IntoIterator<Item = &'a Arc<Self>>) -> Arc<Self> {
        let group = Arc::new(Self::with(false, 0, true));
        for member in members {
            let mut groups = member.groups.lock();
            groups.retain(|group| group.strong_count() > 0);
            groups.push(Arc::downgrade(&group));
            if member.is_up() {
                group.members_up.fetch_add(1, Ordering::AcqRel);
            }
        }
        group
    }

    pub fn is_up(&self) -> bool {
        if self.is_group { self.members_up.load(Ordering::Acquire) > 0 } else { self.up.load(Ordering::Acquire) }
    }

    /// Takes it out of the rotation by hand, or puts it back. Health checks go on beside that.
    pub fn drain(&self, drained: bool) {
        self.drained.store(drained, Ordering::Release);
    }

    pub fn is_drained(&self) -> bool {
        self.drained.load(Ordering::Acquire)
    }

    /// Sets a leaf and tells its groups. Says whether this changed anything.
    pub fn set(&self, up: bool) -> bool {
        debug_assert!(!self.is_group, "a group's state is that of its members");
        // The lock orders changes with the joining of groups, so that no group counts a member twice or never.
        let groups = self.groups.lock();
        if self.up.swap(up, Ordering::AcqRel) == up {
            return false;
        }
        tell(&groups, up);
        true
    }

    fn member_changed(&self, up: bool) {
        let groups = self.groups.lock();
        if up {
            if self.members_up.fetch_add(1, Ordering::AcqRel) == 0 {
                tell(&groups, true);
            }
        } else if self.members_up.fetch_sub(1, Ordering::AcqRel) == 1 {
            tell(&groups, false);
        }
    }

    fn with(up: bool, members_up: usize, is_group: bool) -> Self {
        Self {
            up: AtomicBool::new(up),
            members_up: AtomicUsize::new(members_up),
            is_group,
            drained: AtomicBool::new(false),
            groups: Mutex::new(Vec::new()),
        }
    }
}

fn tell(groups: &[Weak<Status>], up: bool) {
    for group in groups.iter().filter_map(Weak::upgrade) {
        group.member_changed(up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_up_while_one_member_is() {
        let (one, two) = (Status::leaf(), Status::leaf());
        let group = Status::any_of([&one, &two]);
        let above = Status::any_of([&group]);
        assert!(above.is_up());
        assert!(one.set(false));
        assert!(above.is_up());
        assert!(two.set(false));
        assert!(!group.is_up());
        assert!(!above.is_up());
        assert!(!two.set(false), "nothing changed");
        assert!(one.set(true));
        assert!(above.is_up());
    }

    #[test]
    fn a_group_made_late_sees_the_state_of_then() {
        let one = Status::leaf();
        one.set(false);
        let group = Status::any_of([&one]);
        assert!(!group.is_up());
        one.set(true);
        assert!(group.is_up());
    }

    #[test]
    fn a_group_without_members_is_down() {
        assert!(!Status::any_of([]).is_up());
    }

    #[test]
    fn dropped_groups_are_forgotten() {
        let one = Status::leaf();
        for _ in 0..100 {
            drop(Status::any_of([&one]));
        }
        assert!(one.groups.lock().len() <= 1);
    }
}
