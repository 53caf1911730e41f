//! TLS by rustls, as the driver wants it: it makes the verifier, and gets certificates and key as bytes.

use std::fmt::Write as _;

use base64::Engine as _;
use mysql_async::{ClientIdentity, SslOpts};
use plimsoll_core::Diagnostic;
use plimsoll_core::url::mysql::{Tls as Parameters, TlsMode, Verify};
use rustls::pki_types::CertificateDer;

use crate::target::FromParameters;
use crate::tls::{certificates_from, identity, system_certificates};

/// How connections to one server are encrypted.
#[derive(Clone)]
pub(super) struct Tls(Option<SslOpts>);

impl Tls {
    /// What the driver is given. Nothing on a Unix socket, which is not encrypted.
    pub(super) fn options(&self) -> Option<SslOpts> {
        self.0.clone()
    }
}

impl FromParameters for Tls {
    /// Reads the files that the parameters name. The system's certificates are loaded only if they are needed.
    fn new(parameters: &Parameters) -> Result<Self, Diagnostic> {
        if parameters.mode == TlsMode::Disable {
            return Ok(Self(None));
        }
        // A file that was named has to be readable, also where nothing is checked: Prisma says so too.
        let roots = parameters.roots.as_deref().map(certificates_from).transpose()?;
        let options = match (parameters.verify, roots) {
            // The driver makes a verifier in any case, and with no roots at all it cannot: its own are of no consequence here.
            (Verify::Nothing, _) => SslOpts::default().with_danger_accept_invalid_certs(true),
            (_, Some(roots)) => trusting(&roots),
            (_, None) => trusting(&system_certificates("sslcert")?),
        };
        let Some(path) = &parameters.identity else { return Ok(Self(Some(options))) };
        let (chain, key) = identity(path, parameters.identity_password.as_ref())?;
        let chain: String = chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
        let key = pem("PRIVATE KEY", key.secret_der());
        let ours = ClientIdentity::new(chain.into_bytes().into(), key.into_bytes().into());
        Ok(Self(Some(options.with_client_identity(Some(ours)))))
    }
}

/// Certificates are checked against these, and against no others.
fn trusting(roots: &[CertificateDer<'static>]) -> SslOpts {
    let roots = roots.iter().map(|root| root.to_vec().into()).collect();
    SslOpts::default().with_root_certs(roots).with_disable_built_in_roots(true)
}

/// The text form, which is the only one that the driver takes a chain in, or a key of this kind.
fn pem(kind: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {kind}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(64));
        let _infallible = writeln!(pem, "{line}");
        rest = behind;
    }
    let _infallible = writeln!(pem, "-----END {kind}-----");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    #[test]
    fn what_is_written_as_text_is_read_as_it_was() {
        for length in [1, 47, 48, 49, 200] {
            let der: Vec<u8> = (0..length).collect();
            let read = CertificateDer::from_pem_slice(pem("CERTIFICATE", &der).as_bytes()).unwrap();
            assert_eq!(read.as_ref(), der);
            let read = PrivateKeyDer::from_pem_slice(pem("PRIVATE KEY", &der).as_bytes()).unwrap();
            assert_eq!(read, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)));
        }
    }
}
