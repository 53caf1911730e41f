//! TLS by rustls: what the URL's parameters say about trust becomes a verifier.

use std::sync::Arc;

use plimsoll_core::Diagnostic;
use plimsoll_core::url::postgres::{Tls as Parameters, TlsMode, Verify};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::{CancelToken, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::link::Link;
use crate::target::FromParameters;
use crate::tls::{certificates_from, failed, file_failed, identity, system_certificates};

/// How connections to one server are encrypted.
#[derive(Clone)]
pub(super) struct Tls(Option<MakeRustlsConnect>);

impl FromParameters for Tls {
    /// Reads the files that the parameters name. The system's certificates are loaded only if they are needed: that
    /// takes longer than everything else that a run without work does.
    fn new(parameters: &Parameters) -> Result<Self, Diagnostic> {
        if parameters.mode == TlsMode::Disable {
            return Ok(Self(None));
        }
        client_config(parameters).map(|config| Self(Some(MakeRustlsConnect::new(config))))
    }
}

impl Tls {
    pub(super) async fn connect(&self, config: &Config) -> Result<Link, tokio_postgres::Error> {
        if let Some(tls) = &self.0 {
            let (client, connection) = config.connect(tls.clone()).await?;
            return Ok(Link::of(client, connection));
        }
        let (client, connection) = config.connect(NoTls).await?;
        Ok(Link::of(client, connection))
    }

    /// What encrypts a connection, if anything does.
    pub(super) fn connector(&self) -> Option<&MakeRustlsConnect> {
        self.0.as_ref()
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
            certificates_from(path)?;
        }
        return Ok(Arc::new(ChainVerifier { roots: None, algorithms }));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(match &parameters.roots {
        Some(path) => certificates_from(path)?,
        None => system_certificates("sslrootcert")?,
    });
    if parameters.verify == Verify::Authority {
        return Ok(Arc::new(ChainVerifier { roots: Some(roots), algorithms }));
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    verifier.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(failed)
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
