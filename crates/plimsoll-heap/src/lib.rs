//! The heap of the program, and of the SQLite in it. The only crate with unsafe code.

#[cfg(target_os = "linux")]
mod heap;
mod sqlite;

#[cfg(target_os = "linux")]
pub use heap::Heap;
pub use sqlite::serve_sqlite;

#[cfg(all(test, target_os = "linux"))]
#[global_allocator]
static HEAP: Heap = Heap::new();
