//! A connection and the task that moves its bytes.

use std::future::poll_fn;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection, Error};

use crate::stopping;
use crate::task::Task;

/// An open connection.
pub(super) struct Link {
    pub(super) client: Client,
    /// It ends when its client is dropped.
    pub(super) task: JoinHandle<Result<(), Error>>,
    /// The channels of the notifications that the server sends.
    pub(super) heard: UnboundedReceiver<String>,
    /// Where the name of its host led to; nowhere if that is the directory of a socket.
    pub(super) at: Option<IpAddr>,
}

impl Link {
    pub(super) fn of<S, T>(client: Client, connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (say, heard) = unbounded_channel();
        Self { client, task: tokio::spawn(drive(connection, say)), heard, at: None }
    }

    /// Says good-bye, and waits for the task; not for long, if the server does not answer any more. Whoever has less time may drop this.
    pub(super) async fn close(self) {
        let Self { client, task, .. } = self;
        let task = Task::new(task);
        drop(client);
        let _silent = tokio::time::timeout(stopping::FAREWELL, task).await;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio_postgres::{Config, NoTls};

    use super::*;

    /// "You are in", "say what you want".
    const GREETING: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

    #[tokio::test]
    async fn a_good_bye_that_is_cut_off_leaves_no_task_behind() {
        let (ours, mut server) = tokio::io::duplex(4096);
        server.write_all(GREETING).await.unwrap();
        let mut config = Config::new();
        config.user("u");
        let (client, connection) = config.connect_raw(ours, NoTls).await.unwrap();
        let link = Link::of(client, connection);
        let task = link.task.abort_handle();
        let moment = Duration::from_millis(20);
        let asked = tokio::time::timeout(moment, link.client.simple_query("SELECT 1")).await;
        assert!(asked.is_err(), "the server is silent");
        let closed = tokio::time::timeout(moment, link.close()).await;
        assert!(closed.is_err(), "it waits for the answer before it says good-bye");
        tokio::task::yield_now().await;
        assert!(task.is_finished());
    }
}
