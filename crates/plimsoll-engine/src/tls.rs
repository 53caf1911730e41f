//! What the files that a URL names hold: certificates to trust, and our own identity.

use std::path::Path;

use plimsoll_core::{Code, Diagnostic, Secret};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The certificates of a PEM file, of which there has to be one; each can be trusted.
pub(crate) fn certificates_from(path: &Path) -> Result<Vec<CertificateDer<'static>>, Diagnostic> {
    let failed = |why: &dyn std::fmt::Display| file_failed("sslcert", path, why);
    let pem = std::fs::read(path).map_err(|error| failed(&error))?;
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| failed(&error))?;
        RootCertStore::empty().add(certificate.clone()).map_err(|error| failed(&error))?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(failed(&"it holds no certificate in PEM form"));
    }
    Ok(certificates)
}

/// The certificates that the system trusts, without those that nobody can read; `parameter` is what to name a file with
/// if there are none.
pub(crate) fn system_certificates(parameter: &str) -> Result<Vec<CertificateDer<'static>>, Diagnostic> {
    let loaded = rustls_native_certs::load_native_certs().certs;
    let readable = |found: &CertificateDer<'static>| RootCertStore::empty().add(found.clone()).is_ok();
    let certificates: Vec<_> = loaded.into_iter().filter(readable).collect();
    if certificates.is_empty() {
        return Err(failed("the system has no root certificates").help(format!(
            "name a file with the authority's certificate: `{parameter}=/path/to/ca.pem` in the URL"
        )));
    }
    Ok(certificates)
}

/// Our certificate with its chain, and our key, from a PKCS#12 file.
pub(crate) fn identity(
    path: &Path,
    password: Option<&Secret>,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Diagnostic> {
    let data = std::fs::read(path).map_err(|error| file_failed("sslidentity", path, error))?;
    let password = password.map_or("", Secret::expose);
    let store =
        p12_keystore::KeyStore::from_pkcs12(&data, password, p12_keystore::Pkcs12ImportPolicy::Strict);
    // Which of the two it is must not be told apart by a message that could be repeated with guesses.
    let store = store.map_err(|_| {
        file_failed("sslidentity", path, "it is not PKCS#12, or `sslpassword` does not open it")
    })?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or_else(|| file_failed("sslidentity", path, "it holds no private key"))?;
    let certificates =
        chain.certs().iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec()));
    let key = PrivatePkcs8KeyDer::from(chain.key().as_der().to_vec());
    Ok((certificates.collect(), PrivateKeyDer::Pkcs8(key)))
}

/// TLS cannot be agreed on.
pub(crate) fn failed(why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(Code::Tls, format!("Error opening a TLS connection: {why}"))
}

/// The next step where a certificate is refused because of the time, as the words of rustls tell: whoever reads them looks at the
/// certificate first, and the clock of this machine may be what is wrong.
pub(crate) fn about_time(why: &str) -> Option<&'static str> {
    if why.contains("certificate expired") {
        return Some(
            "renew the server's certificate; if it has not expired, the clock of this machine is wrong",
        );
    }
    let is_early = why.contains("not valid yet");
    is_early.then_some("the clock of this machine is wrong, or that of whoever made the certificate")
}

/// A file that a parameter of the URL names is of no use.
pub(crate) fn file_failed(parameter: &str, path: &Path, why: impl std::fmt::Display) -> Diagnostic {
    failed(format_args!("the file `{}` of `{parameter}` cannot be used: {why}", path.display()))
}
