//! The allocator. On Linux only: elsewhere a lock of the standard library may itself need memory.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dlmalloc::Dlmalloc;

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
// every piece that comes back. Nothing in here panics or allocates: on Linux the lock is a futex, which needs no memory of its own.
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

#[cfg(test)]
mod tests {
    use std::alloc::{alloc, alloc_zeroed, dealloc, realloc};

    use super::*;

    #[test]
    fn a_piece_stands_where_it_was_asked_for_and_is_empty_if_that_was_asked_for() {
        for align in [1, 8, 16, 64, 4096] {
            for size in [1, 13, 4096, 1 << 20] {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: each piece is used within its size, and given back once.
                unsafe {
                    // What was there before shall not be there any more.
                    let before = alloc(layout);
                    before.write_bytes(7, size);
                    dealloc(before, layout);
                    let piece = alloc_zeroed(layout);
                    assert_eq!(piece.align_offset(align), 0, "{layout:?}");
                    assert!(
                        std::slice::from_raw_parts(piece, size).iter().all(|byte| *byte == 0),
                        "{layout:?}"
                    );
                    dealloc(piece, layout);
                }
            }
        }
    }

    #[test]
    fn what_is_in_a_piece_stays_when_it_grows_and_when_it_shrinks() {
        for align in [1, 64, 4096] {
            // SAFETY: each piece is used within its size, and given back once.
            unsafe {
                let mut layout = Layout::from_size_align(100, align).unwrap();
                let mut piece = alloc(layout);
                piece.write_bytes(7, 100);
                for size in [101, 1 << 20, 100, 10] {
                    piece = realloc(piece, layout, size);
                    layout = Layout::from_size_align(size, align).unwrap();
                    assert_eq!(piece.align_offset(align), 0, "{layout:?}");
                    assert!(std::slice::from_raw_parts(piece, size.min(10)).iter().all(|byte| *byte == 7));
                }
                dealloc(piece, layout);
            }
        }
    }

    /// Each thread fills pieces that others are given and give back.
    #[test]
    fn no_two_threads_are_given_the_same_piece() {
        let (give, given) = std::sync::mpsc::channel::<(u8, Vec<u8>)>();
        let check = std::thread::spawn(move || {
            let whole = given.iter().filter(|(who, piece)| piece.iter().all(|byte| byte == who));
            whole.count()
        });
        let fill = |who: u8| {
            let give = give.clone();
            std::thread::spawn(move || {
                for number in 0..5000_usize {
                    give.send((who, vec![who; number % 3000])).unwrap();
                }
            })
        };
        let threads: Vec<_> = (1..=4).map(fill).collect();
        drop(give);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(check.join().unwrap(), 4 * 5000);
    }
}
