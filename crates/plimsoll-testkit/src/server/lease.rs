//! Servers that a test has to itself for as long as it needs them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Flavour, MysqlServer, Options};

/// Those that have been started and that nobody has at the moment: there are never more than tests at once.
static FREE: Mutex<Vec<&'static MysqlServer>> = Mutex::new(Vec::new());

/// A server that no other test has before this is dropped.
pub(crate) struct Lease(&'static MysqlServer);

impl Lease {
    /// One that is free, or a new one.
    pub(crate) fn of(flavour: Flavour) -> Self {
        let found = taken_from(&mut free(), flavour);
        Self(found.unwrap_or_else(|| Box::leak(Box::new(MysqlServer::start(flavour, &Options::default())))))
    }

    pub(crate) fn server(&self) -> &'static MysqlServer {
        self.0
    }
}

fn free() -> MutexGuard<'static, Vec<&'static MysqlServer>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn taken_from(free: &mut Vec<&'static MysqlServer>, flavour: Flavour) -> Option<&'static MysqlServer> {
    let at = free.iter().position(|server| server.flavour() == flavour)?;
    Some(free.swap_remove(at))
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What a failed test has left there is to be looked into, and is in nobody's way.
        if !std::thread::panicking() {
            free().push(self.0);
        }
    }
}
