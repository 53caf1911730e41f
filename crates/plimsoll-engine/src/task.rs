//! Tasks that end with whoever waits for them.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};

use crate::error::Result;

/// A task that nobody waits for any longer than this is there.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    /// One that has been started.
    pub(crate) fn new(task: JoinHandle<T>) -> Self {
        Self(task)
    }
}

impl<T> Future for Task<T> {
    type Output = std::result::Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What has been begun before anybody asks for it.
pub(crate) struct Early<T>(RefCell<Option<Task<T>>>);

impl<T: Send + 'static> Early<T> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Begins it, in the background of the runtime.
    pub(crate) fn begin(&self, work: impl Future<Output = T> + Send + 'static) {
        self.0.replace(Some(Task::new(tokio::spawn(work))));
    }

    /// What came of it, to whoever asks first. For the next one, and if it has not been begun, it is done now.
    pub(crate) async fn take<F>(&self, work: impl FnOnce() -> Result<F>) -> Result<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let begun = self.0.take();
        let task = begun.map_or_else(|| work().map(|work| Task::new(tokio::spawn(work))), Ok)?;
        // It is not cancelled while it is waited for: it has panicked.
        Ok(task.await.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic())))
    }
}
