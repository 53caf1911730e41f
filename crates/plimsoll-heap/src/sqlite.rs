//! SQLite's memory, from Rust's heap.
//!
//! By itself SQLite takes it from the C library's, and musl's maps and unmaps pages all the time. What SQLite asks of an allocator:
//! <https://sqlite.org/c3ref/mem_methods.html>.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use rusqlite::ffi::{self, sqlite3_mem_methods};

/// What SQLite asks of every piece, and what the size in front of it takes: SQLite does not say how large what it gives back is.
const ALIGN: usize = 8;
/// Its count of the memory in use takes a lock for every piece, and nothing here asks for it.
const COUNTED: c_int = 0;
const _: () = assert!(size_of::<usize>() <= ALIGN && align_of::<usize>() <= ALIGN);

/// Has SQLite take its memory from Rust's heap, and not count it; whether it does from now on. SQLite refuses once anything has used it.
///
/// SQLite does not look whether another thread begins to use it meanwhile. So this does nothing, and says so, unless the process has
/// one thread only, as far as the kernel tells.
#[must_use = "without it SQLite works, and is slower"]
pub fn serve_sqlite() -> bool {
    // SAFETY: this thread is the only one, and busy here.
    is_the_only_thread() && unsafe { configure() }
}

fn is_the_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// # Safety
/// No other thread uses SQLite meanwhile.
unsafe fn configure() -> bool {
    let methods = sqlite3_mem_methods {
        xMalloc: Some(x_malloc),
        xFree: Some(x_free),
        xRealloc: Some(x_realloc),
        xSize: Some(x_size),
        xRoundup: Some(x_roundup),
        xInit: Some(x_init),
        xShutdown: Some(x_shutdown),
        pAppData: null_mut(),
    };
    // SAFETY: SQLite copies the methods, and refuses both once it has been used.
    unsafe {
        ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods) == ffi::SQLITE_OK
            && ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, COUNTED) == ffi::SQLITE_OK
    }
}

/// The memory of a piece of this size.
fn layout(size: c_int) -> Option<(usize, Layout)> {
    let size = usize::try_from(size).ok()?;
    Some((size, Layout::from_size_align(size.checked_add(ALIGN)?, ALIGN).ok()?))
}

/// The piece in memory that begins here. Null stays null.
///
/// # Safety
/// The memory is that of `layout(size)`.
unsafe fn piece(memory: *mut u8, size: usize) -> *mut c_void {
    if memory.is_null() {
        return null_mut();
    }
    // SAFETY: there is room for the size in front of the piece, aligned for it.
    #[expect(clippy::cast_ptr_alignment, reason = "memory of `layout` is aligned for a size")]
    unsafe {
        memory.cast::<usize>().write(size);
        memory.add(ALIGN).cast()
    }
}

/// Where the memory of a piece begins, and what it is.
///
/// # Safety
/// The piece is one of `piece`, and alive.
unsafe fn memory(piece: *mut c_void) -> (*mut u8, Layout) {
    // SAFETY: the size stands in front of every piece, which was made with this layout.
    #[expect(clippy::cast_ptr_alignment, reason = "memory of `layout` is aligned for a size")]
    unsafe {
        let memory = piece.cast::<u8>().sub(ALIGN);
        (memory, Layout::from_size_align_unchecked(memory.cast::<usize>().read() + ALIGN, ALIGN))
    }
}

unsafe extern "C" fn x_malloc(size: c_int) -> *mut c_void {
    let Some((size, layout)) = layout(size) else { return null_mut() };
    // SAFETY: no layout is empty.
    unsafe { piece(alloc(layout), size) }
}

/// SQLite never gives back null.
unsafe extern "C" fn x_free(piece: *mut c_void) {
    // SAFETY: SQLite gives back what it was given.
    unsafe {
        let (memory, layout) = memory(piece);
        dealloc(memory, layout);
    }
}

/// Neither null, nor to nothing: SQLite asks for these in other ways.
unsafe extern "C" fn x_realloc(old: *mut c_void, size: c_int) -> *mut c_void {
    let Some((size, new)) = layout(size) else { return null_mut() };
    // SAFETY: SQLite gives back what it was given. Where there is no room, the old piece stays as it is.
    unsafe {
        let (memory, layout) = memory(old);
        piece(realloc(memory, layout, new.size()), size)
    }
}

unsafe extern "C" fn x_size(piece: *mut c_void) -> c_int {
    // SAFETY: SQLite asks of what it was given.
    let (_, layout) = unsafe { memory(piece) };
    c_int::try_from(layout.size() - ALIGN).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn x_roundup(size: c_int) -> c_int {
    size.checked_add(7).map_or(size, |size| size & !7)
}

unsafe extern "C" fn x_init(_: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_shutdown(_: *mut c_void) {}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn sqlite_works_with_pieces_of_this_heap() {
        // SAFETY: no other test here uses SQLite.
        assert!(unsafe { configure() });
        assert_eq!(allocator().map(|it| it as usize), Some(x_malloc as *const () as usize));
        let database = Connection::open_in_memory().unwrap();
        // Grows and shrinks pieces of all sizes.
        let sum: i64 = database
            .query_row(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) \
                 SELECT length(group_concat(printf('%.*c', i * i, 'x'), '')) FROM n",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(sum, (1..=300).map(|i| i * i).sum::<i64>());
        // SAFETY: it may be asked at any time.
        assert_eq!(unsafe { ffi::sqlite3_memory_used() }, 0, "nothing is counted");
    }

    #[test]
    fn a_process_with_another_thread_is_left_as_it_is() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || ended.recv());
        assert!(!serve_sqlite());
        drop(end);
        assert!(other.join().unwrap().is_err());
    }

    /// What SQLite asks for memory.
    fn allocator() -> Option<unsafe extern "C" fn(c_int) -> *mut c_void> {
        let mut methods = std::mem::MaybeUninit::<sqlite3_mem_methods>::zeroed();
        // SAFETY: SQLite writes what it has; all of it may be null.
        unsafe {
            assert_eq!(
                ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, methods.as_mut_ptr()),
                ffi::SQLITE_OK
            );
            methods.assume_init().xMalloc
        }
    }

    #[test]
    fn a_piece_knows_its_size_and_keeps_what_is_in_it_when_it_grows() {
        // SAFETY: each piece is one of this heap, and alive.
        unsafe {
            let piece = x_malloc(13);
            assert_eq!((x_size(piece), piece.align_offset(ALIGN)), (13, 0));
            std::ptr::write_bytes(piece.cast::<u8>(), 7, 13);
            let piece = x_realloc(piece, 100_000);
            assert_eq!(x_size(piece), 100_000);
            assert_eq!(std::slice::from_raw_parts(piece.cast::<u8>(), 13), [7; 13]);
            x_free(piece);
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_not_given() {
        // SAFETY: nothing is given.
        assert!(unsafe { x_malloc(-1) }.is_null());
    }
}
