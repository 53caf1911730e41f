//! TLS by rustls: what the URL's parameters say about trust becomes a verifier.

use std::path::Path;
use std::sync::Arc;

use plimsoll_core::url::postgres::{Tls as Parameters, TlsMode, Verify};
use plimsoll_core::{Code, Diagnostic, Secret};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How connections to one server are encrypted.
#[derive(Clone)]
pub(super) struct Tls(Option<MakeRustlsConnect>);

/// The task that moves the bytes of a connection; it ends when its client is dropped.
pub(super) type Connection = JoinHandle<Result<(), tokio_postgres::Error>>;

impl Tls {
    /// Reads the files that the parameters name. The system's certificates are loaded only if they are needed: that
    /// takes longer than everything else that a run without work does.
    pub(super) fn new(parameters: &Parameters) -> Result<Self, Diagnostic> {
        if parameters.mode == TlsMode::Disable {
            return Ok(Self(None));
        }
        client_config(parameters).map(|config| Self(Some(MakeRustlsConnect::new(config))))
    }

    pub(super) async fn connect(
        &self,
        config: &Config,
    ) -> Result<(Client, Connection), tokio_postgres::Error> {
        if let Some(tls) = &self.0 {
            let (client, connection) = config.connect(tls.clone()).await?;
            return Ok((client, tokio::spawn(connection)));
        }
        let (client, connection) = config.connect(NoTls).await?;
        Ok((client, tokio::spawn(connection)))
    }

    pub(super) async fn cancel(&self, token: &CancelToken) -> Result<(), tokio_postgres::Error> {
        match &self.0 {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        }
    }
}

fn client_config(parameters: &Parameters) -> Result<ClientConfig, Diagnostic> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(format_args!("no protocol version can be used: {error}")))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier(parameters, &provider)?);
    match &parameters.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(path) => {
            let (chain, key) = identity(path, parameters.identity_password.as_ref())?;
            builder.with_client_auth_cert(chain, key).map_err(|error| file_failed("sslidentity", path, error))
        }
    }
}

fn verifier(
    parameters: &Parameters,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Diagnostic> {
    let algorithms = provider.signature_verification_algorithms;
    if parameters.verify == Verify::Nothing {
        // A file that was named has to be readable all the same: Prisma says so too.
        if let Some(path) = &parameters.roots {
            roots_from(path)?;
        }
        return Ok(Arc::new(ChainVerifier { roots: None, algorithms }));
    }
    let roots = match &parameters.roots {
        Some(path) => roots_from(path)?,
        None => system_roots()?,
    };
    if parameters.verify == Verify::Authority {
        return Ok(Arc::new(ChainVerifier { roots: Some(roots), algorithms }));
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    verifier.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(failed)
}

fn roots_from(path: &Path) -> Result<RootCertStore, Diagnostic> {
    let pem = std::fs::read(path).map_err(|error| file_failed("sslcert", path, error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| file_failed("sslcert", path, error))?;
        roots.add(certificate).map_err(|error| file_failed("sslcert", path, error))?;
    }
    if roots.is_empty() {
        return Err(file_failed("sslcert", path, "it holds no certificate in PEM form"));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, Diagnostic> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() {
        return Err(failed("the system has no root certificates")
            .help("name a file with the authority's certificate: `sslrootcert=/path/to/ca.pem` in the URL"));
    }
    Ok(roots)
}

/// Our certificate with its chain, and our key, from a PKCS#12 file.
fn identity(
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

fn failed(why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(Code::Tls, format!("Error opening a TLS connection: {why}"))
}

fn file_failed(parameter: &str, path: &Path, why: impl std::fmt::Display) -> Diagnostic {
    failed(format_args!("the file `{}` of `{parameter}` cannot be used: {why}", path.display()))
}

/// Checks who signed a certificate, or nothing at all; but never for whom it is.
#[derive(Debug)]
struct ChainVerifier {
    roots: Option<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for ChainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
