//! One request over HTTP/1.1, on a connection of its own, driven by whoever awaits it: nothing is spawned.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::settings::{Compression, Target};
use crate::tls;

/// An answer says how much was taken; nobody reads more of it.
const MOST_ANSWER: usize = 64 * 1024;
/// How long to pause before something is sent again, unless the collector says it.
const PAUSE: Duration = Duration::from_millis(200);
/// However soon it wants it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// Who is asking.
const AGENT: &str = concat!("plimsoll/", env!("CARGO_PKG_VERSION"));

/// Sends a message until it is taken, and returns what was answered. Only a collector that says that it is overloaded, or
/// that those behind it are, gets it again, if there is time: one that is not there costs no more than the attempt.
pub(crate) async fn post(target: &Target, message: Vec<u8>, at_most: Duration) -> Result<Vec<u8>, String> {
    let tried = tokio::time::timeout(at_most, until_taken(target, message, Instant::now() + at_most)).await;
    tried.unwrap_or_else(|_| Err(format!("it did not answer within {} ms", at_most.as_millis())))
}

async fn until_taken(target: &Target, message: Vec<u8>, deadline: Instant) -> Result<Vec<u8>, String> {
    let body = match target.compression {
        Compression::None => Bytes::from(message),
        Compression::Gzip => Bytes::from(compressed(&message)?),
    };
    loop {
        let answer = once(target, body.clone()).await?;
        match answer.status {
            status if status.is_success() => return Ok(answer.body),
            status if is_passing(status) && Instant::now() + answer.pause < deadline => {
                tokio::time::sleep(answer.pause).await;
            }
            status => return Err(format!("it answered {status}")),
        }
    }
}

/// The answers of OTLP's specification behind which a message is sent again.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

struct Answer {
    status: StatusCode,
    /// How long to wait before it is asked again.
    pause: Duration,
    body: Vec<u8>,
}

async fn once(target: &Target, body: Bytes) -> Result<Answer, String> {
    let host = target.url.host_str().unwrap_or_default();
    // The brackets of an IPv6 address belong to the URL.
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let port = target.url.port_or_known_default().unwrap_or(4318);
    let stream = TcpStream::connect((address, port)).await.map_err(|error| error.to_string())?;
    let request = request(target, body)?;
    if target.url.scheme() == "https" {
        let stream = tls::connect(&target.files, address, stream).await?;
        return exchange(stream, request).await;
    }
    exchange(stream, request).await
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| plain(&error))?;
    let answered = async {
        let answer = sender.send_request(request).await.map_err(|error| plain(&error))?;
        read(answer).await
    };
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        // The connection is over; what has arrived on it is still to be read.
        _over = connection => answered.await,
    }
}

async fn read(answer: Response<Incoming>) -> Result<Answer, String> {
    let (head, body) = answer.into_parts();
    let asked = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = asked.map_or(PAUSE, Duration::from_secs).max(SHORTEST_PAUSE);
    let body = Limited::new(body, MOST_ANSWER).collect().await.map_err(|error| error.to_string())?;
    Ok(Answer { status: head.status, pause, body: body.to_bytes().into() })
}

fn request(target: &Target, body: Bytes) -> Result<Request<Full<Bytes>>, String> {
    let url = &target.url;
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.port().map_or_else(
        || url.host_str().unwrap_or_default().to_owned(),
        |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
    );
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    headers.extend(target.headers.clone());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    if target.compression == Compression::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(request)
}

fn compressed(message: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(message).and_then(|()| encoder.finish()).map_err(|error| error.to_string())
}

/// What hyper says, down to the cause.
fn plain(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use url::Url;

    use super::*;
    use crate::settings::Files;

    /// Gives these answers, one a connection, and returns what was asked.
    async fn answer(listener: TcpListener, answers: &[&str]) -> Vec<String> {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"message") {
                stream.read_buf(&mut request).await.unwrap();
            }
            asked.push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    }

    async fn posted(answers: &[&str]) -> (Result<Vec<u8>, String>, Vec<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/v1/traces?x=y", listener.local_addr().unwrap());
        let target = Target {
            url: Url::parse(&url).unwrap(),
            headers: [("x-key".parse().unwrap(), HeaderValue::from_static("k"))].into_iter().collect(),
            compression: Compression::None,
            timeout: None,
            files: Files::default(),
        };
        tokio::join!(post(&target, b"message".to_vec(), Duration::from_secs(20)), answer(listener, answers))
    }

    #[tokio::test]
    async fn an_overloaded_collector_gets_it_again() {
        let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
        let (result, asked) = posted(&[busy, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]).await;
        assert_eq!((result, asked.len()), (Ok(b"ok".to_vec()), 2));
        assert_eq!(asked[0], asked[1]);
        assert!(asked[0].starts_with("POST /v1/traces?x=y HTTP/1.1\r\n"), "{}", asked[0]);
        for header in ["content-type: application/x-protobuf", "x-key: k", "content-length: 7"] {
            assert!(asked[0].contains(header), "{header} is missing in {}", asked[0]);
        }
    }

    #[tokio::test]
    async fn who_wants_it_later_than_there_is_time_has_refused_it() {
        let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
        let (result, asked) = posted(&[busy]).await;
        assert_eq!((result, asked.len()), (Err("it answered 429 Too Many Requests".into()), 1));
    }

    #[tokio::test]
    async fn an_answer_that_refuses_is_final() {
        let (result, asked) = posted(&["HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"]).await;
        assert_eq!((result, asked.len()), (Err("it answered 401 Unauthorized".into()), 1));
    }

    #[tokio::test]
    async fn an_answer_that_ends_with_its_connection_is_read_and_no_answer_is_an_error() {
        let (result, _) = posted(&["HTTP/1.1 200 OK\r\n\r\nto the end"]).await;
        assert_eq!(result, Ok(b"to the end".to_vec()));
        assert!(posted(&[""]).await.0.is_err());
        assert!(posted(&["SSH-2.0-x\r\n"]).await.0.is_err());
    }

    #[test]
    fn what_is_compressed_is_gzip() {
        let message = [7; 4096];
        let packed = compressed(&message).unwrap();
        assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < 100);
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut text).unwrap();
        assert_eq!(text, message);
    }
}
