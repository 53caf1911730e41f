//! The number of the server process that was handed out with the connection, for cancelling.
//!
//! A server gives its own (`BackendKeyData`). A pooler has no process that would stay the same, so that it makes one up: that tells
//! it from a server without any luck. The driver keeps the number to itself, and writes it into a cancel request: here to nobody.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The number, unless the driver has changed what it writes.
pub(super) async fn process_of(token: &CancelToken) -> Option<i32> {
    let (mut reader, writer) = tokio::io::duplex(64);
    // The answer of a server that can do TLS, for a token that insists on it.
    reader.write_all(b"S").await.ok()?;
    token.cancel_query_raw(writer, Nowhere).await.ok()?;
    let mut written = Vec::new();
    reader.read_to_end(&mut written).await.ok()?;
    process_in(&written)
}

/// The number in the request at the end of what was written: length, code, number, secret.
fn process_in(written: &[u8]) -> Option<i32> {
    const HEAD: [u8; 8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e];
    let request = written.last_chunk::<16>()?;
    let number = request.strip_prefix(&HEAD)?.first_chunk::<4>()?;
    Some(i32::from_be_bytes(*number))
}

/// TLS to nobody: it encrypts nothing.
struct Nowhere;

impl TlsConnect<DuplexStream> for Nowhere {
    type Stream = Plain;
    type Error = Infallible;
    type Future = Ready<Result<Plain, Infallible>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        ready(Ok(Plain(stream)))
    }
}

struct Plain(DuplexStream);

impl TlsStream for Plain {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Plain {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Plain {
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
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_from_the_end_of_what_was_written() {
        let request = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 48, 57, 1, 2, 3, 4];
        let behind_tls = [&[0, 0, 0, 8, 4, 210, 22, 47], request.as_slice()].concat();
        assert_eq!((process_in(&request), process_in(&behind_tls)), (Some(12345), Some(12345)));
        assert_eq!((process_in(&request[1..]), process_in(&[0; 16])), (None, None));
    }
}
