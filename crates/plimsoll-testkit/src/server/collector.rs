//! A collector of telemetry: the receiver of the OpenTelemetry project's own, which writes down what it gets.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::process::on_a_free_port;
use crate::installed;
use crate::transcript::shows_password;
use crate::wait::until;

/// A receiver of OTLP over HTTP that is running. It ends with its owner.
pub struct Collector {
    directory: TempDir,
    child: Option<Child>,
    port: u16,
    certificates: Option<Certificates>,
}

impl Collector {
    /// One without TLS.
    pub fn start() -> Self {
        Self::new(|_| None)
    }

    /// One that a private authority has signed for, and that asks for a certificate of the same authority.
    pub fn start_with_tls() -> Self {
        Self::new(|directory| Some(Certificates::make(directory.path().join("tls"))))
    }

    fn new(certify: impl FnOnce(&TempDir) -> Option<Certificates>) -> Self {
        let directory = TempDir::with_prefix("plimsoll-otlp-").expect("there is a place for temporary files");
        let certificates = certify(&directory);
        let mut collector = Self { directory, child: None, port: 0, certificates };
        assert!(on_a_free_port(|port| collector.runs_on(port)), "the receiver of OTLP does not start");
        collector
    }

    /// Starts it on this port; false if it ends instead of answering there.
    fn runs_on(&mut self, port: u16) -> bool {
        let mut command = Command::new(installed::file("otlp/receiver"));
        command.arg(self.config(port)).arg(self.file()).stdin(Stdio::null());
        let mut child = command.spawn().expect("the receiver is installed");
        let mut has_ended = false;
        until("the receiver of OTLP listens, or has ended", || {
            has_ended = child.try_wait().expect("it is our child").is_some();
            has_ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        (self.child, self.port) = (Some(child), port);
        !has_ended
    }

    /// As the collector reads it.
    fn config(&self, port: u16) -> String {
        let tls = self.certificates.as_ref().map_or_else(String::new, |files| {
            let [certificate, key, clients] = [files.server(), files.server_key(), files.authority()]
                .map(|path| path.display().to_string());
            format!(
                r#","tls":{{"cert_file":"{certificate}","key_file":"{key}","client_ca_file":"{clients}"}}"#
            )
        });
        format!(
            r#"{{"protocols":{{"http":{{"endpoint":"127.0.0.1:{port}","include_metadata":true{tls}}}}}}}"#
        )
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` has to be.
    pub fn endpoint(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The files of its certificates. Panics if it has none.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it was started with TLS")
    }

    /// The file that it writes: for each request one line of JSON, with `signal`, `headers` and `data`.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("received")
    }

    /// What it has received. A request is in it before it is answered. Panics if a password is in what it was told; the headers,
    /// which stand behind that, may hold its own.
    pub fn received(&self) -> String {
        let received = std::fs::read_to_string(self.file()).unwrap_or_default();
        let mut told =
            received.lines().map(|line| line.rsplit_once("\"headers\":").map_or(line, |(data, _)| data));
        assert!(!told.any(shows_password), "a password was sent to a collector");
        received
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
