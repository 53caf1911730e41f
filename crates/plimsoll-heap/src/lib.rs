//! The heap of the program, and of the SQLite in it. The only crate with unsafe code.

mod sqlite;

use std::alloc::{GlobalAlloc, Layout};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dlmalloc::Dlmalloc;

pub use sqlite::serve_sqlite;

/// `dlmalloc` behind a lock of the standard library, which is a third of the price of the C library's that it brings itself: that is
/// 4 % of the time that a run takes.
pub struct Heap(Mutex<Dlmalloc>);

impl Heap {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "a static needs a constant")]
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Dlmalloc::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Dlmalloc> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// SAFETY: all of it is done by `dlmalloc`, by one thread at a time, which is given what it asks for: the size and the alignment of
// every piece that comes back. Nothing in here panics or allocates.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as this method is called.
        unsafe { self.lock().malloc(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: as this method is called.
        unsafe { self.lock().free(piece, layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as this method is called.
        unsafe { self.lock().calloc(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as this method is called.
        unsafe { self.lock().realloc(piece, layout.size(), layout.align(), size) }
    }
}
