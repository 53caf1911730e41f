//! A connection and the task that moves its bytes.

use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection, Error};

/// An open connection.
pub(super) struct Link {
    pub(super) client: Client,
    /// It ends when its client is dropped.
    pub(super) task: JoinHandle<Result<(), Error>>,
    /// The channels of the notifications that the server sends.
    pub(super) heard: UnboundedReceiver<String>,
}

impl Link {
    pub(super) fn of<S, T>(client: Client, connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (say, heard) = unbounded_channel();
        Self { client, task: tokio::spawn(drive(connection, say)), heard }
    }

    /// Says good-bye, and waits for the task: half a second at the most, if the server does not answer any more.
    pub(super) async fn close(self) {
        let Self { client, mut task, .. } = self;
        drop(client);
        if tokio::time::timeout(Duration::from_millis(500), &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn drive<S, T>(mut connection: Connection<S, T>, say: UnboundedSender<String>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await.transpose()? {
        if let AsyncMessage::Notification(notification) = message {
            // Nobody listens any more once the session is being closed.
            let _unheard = say.send(notification.channel().to_owned());
        }
    }
    Ok(())
}
