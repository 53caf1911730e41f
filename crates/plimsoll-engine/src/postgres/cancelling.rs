//! Cancelling, and what is different behind a pooler.
//!
//! A server has done what a cancel request asks for when it closes that connection, and the driver does not wait for it. A pooler first
//! needs a connection of its own to pass the request on, and forgets it if the asking side is gone by then.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use super::target::Target;
use super::{PostgresSession, pooler};
use crate::backend::Cancel;

/// How long several migrations that are on the way may go on behind a request before another is sent: one that came between two of them
/// was for nothing.
const AGAIN: Duration = Duration::from_millis(50);

/// Cancels what a PostgreSQL session is doing, over a connection of its own.
pub struct PostgresCanceller {
    token: CancelToken,
    target: Target,
    at: Option<IpAddr>,
    has_pooler: bool,
    /// Whether several migrations are on the way.
    several: watch::Receiver<bool>,
    /// Tells the session that nothing more is to be sent.
    stop: CancellationToken,
}

impl PostgresCanceller {
    pub(super) fn of(session: &PostgresSession) -> Self {
        Self {
            token: session.client.cancel_token(),
            target: session.target.clone(),
            at: session.at,
            has_pooler: pooler::is_there(session),
            several: session.several.subscribe(),
            stop: session.stop.clone(),
        }
    }

    async fn request(&self) {
        // If this fails the server is out of reach, and ends the statement when it notices that we are gone.
        if self.has_pooler {
            let _unreachable = cancel(&self.token, &self.target, self.at).await;
        } else {
            let _unreachable = self.target.tls.cancel(&self.token).await;
        }
    }
}

impl Cancel for PostgresCanceller {
    async fn cancel(&self) {
        self.stop.cancel();
        let mut several = self.several.clone();
        self.request().await;
        let again = async {
            loop {
                tokio::time::sleep(AGAIN).await;
                self.request().await;
            }
        };
        // One that is under way by then is given up: it would meet what is said behind them.
        tokio::select! {
            biased;
            _ = several.wait_for(|several| !several) => {}
            () = again => {}
        }
    }
}

/// Sends the request to where the session leads, and waits until it has been passed on.
///
/// That is an address: the name may lead to another pooler by now, or to one of several, and only ours knows the session.
async fn cancel(token: &CancelToken, target: &Target, at: Option<IpAddr>) -> io::Result<()> {
    let url = &target.url;
    let Some(at) = at else {
        let stream = UnixStream::connect(format!("{}/.s.PGSQL.{}", url.host, url.port)).await?;
        return request(token, Patient(stream), None, &url.host).await;
    };
    let stream = TcpStream::connect((at, url.port)).await?;
    request(token, Patient(stream), target.tls.connector(), &url.host).await
}

async fn request<S>(
    token: &CancelToken,
    stream: Patient<S>,
    tls: Option<&MakeRustlsConnect>,
    host: &str,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(tls) = tls else {
        return token.cancel_query_raw(stream, NoTls).await.map_err(io::Error::other);
    };
    let connect =
        MakeTlsConnect::<Patient<S>>::make_tls_connect(&mut tls.clone(), host).map_err(io::Error::other)?;
    token.cancel_query_raw(stream, PatientTls(connect)).await.map_err(io::Error::other)
}

/// A stream that is done when the other side has closed it, and not before.
struct Patient<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 64];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            // However it is closed, it is closed.
            let read = ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: TlsStream + Unpin> TlsStream for Patient<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

/// TLS over such a stream, which is as patient.
struct PatientTls<T>(T);

impl<S, T> TlsConnect<S> for PatientTls<T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Patient<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let connecting = self.0.connect(stream);
        Box::pin(async { connecting.await.map(Patient) })
    }
}
