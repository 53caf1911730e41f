//! TLS to a collector, with the files that the variables name. Nothing of it is read before something is sent.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::settings::Files;

/// Agrees on TLS with a collector of this name, whose certificate has to be valid for it.
pub(crate) async fn connect(
    files: &Files,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, String> {
    let connector = TlsConnector::from(Arc::new(config(files)?));
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    connector.connect(name, stream).await.map_err(|error| format!("TLS: {error}"))
}

fn config(files: &Files) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots(files)?);
    match &files.identity {
        None => Ok(config.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| useless(key, &error))?;
            config.with_client_auth_cert(chain, key).map_err(|error| useless(certificate, &error))
        }
    }
}

fn roots(files: &Files) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(path) = &files.roots else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            return Err("the system has no root certificates: name a file with \
                        `OTEL_EXPORTER_OTLP_CERTIFICATE`"
                .into());
        }
        return Ok(store);
    };
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|error| useless(path, &error))?;
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| useless(path, &error))?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| useless(path, &error))?;
    if certificates.is_empty() {
        return Err(useless(path, &"it holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn useless(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("the file `{}` cannot be used: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_of_no_use_is_named() {
        let with = |roots: &str| Files { roots: Some(roots.into()), identity: None };
        let why = config(&with("/no/such.pem")).unwrap_err();
        assert!(why.contains("`/no/such.pem`"), "{why}");
        let why = config(&with("/dev/null")).unwrap_err();
        assert!(why.contains("no certificate"), "{why}");
    }
}
