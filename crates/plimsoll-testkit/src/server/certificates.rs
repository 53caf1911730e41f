//! Certificates for the TLS tests: made anew for every server, so that none can expire in the repository.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use p12_keystore::{Certificate as P12Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, date_time_ymd,
};

use super::account::give_to_server;
use super::role::Role;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// The files of one server's certificates.
#[derive(Clone, Debug)]
pub struct Certificates {
    directory: PathBuf,
}

impl Certificates {
    /// The password of [`Certificates::identity`]. No output of any program under test may contain it.
    pub const IDENTITY_PASSWORD: &str = "hush-p12-61b8";

    /// The authority that signed the server's certificate, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// An authority that signed nothing here, as PEM.
    pub fn other_authority(&self) -> PathBuf {
        self.directory.join("other-ca.pem")
    }

    /// The server's own certificate, for `127.0.0.1` and `localhost`, as PEM.
    pub fn server(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    /// A certificate for the same key and names as [`Certificates::server`] that has expired, as PEM.
    pub fn expired(&self) -> PathBuf {
        self.directory.join("expired.pem")
    }

    /// The certificate of [`Role::Certificate`], as PEM.
    pub fn client(&self) -> PathBuf {
        self.directory.join("client.pem")
    }

    /// The key of [`Certificates::client`], as PEM.
    pub fn client_key(&self) -> PathBuf {
        self.directory.join("client.key")
    }

    /// Certificate and key of [`Role::Certificate`] as PKCS#12, with [`Certificates::IDENTITY_PASSWORD`].
    pub fn identity(&self) -> PathBuf {
        self.directory.join("client.p12")
    }

    /// Where the server finds its key.
    pub(super) fn server_key(&self) -> PathBuf {
        self.directory.join("server.key")
    }

    /// Makes all of them in `directory`.
    pub(super) fn make(directory: PathBuf) -> Self {
        std::fs::create_dir_all(&directory).expect("the directory of the server is ours");
        let files = Self { directory };
        let authority = new_authority("Plimsoll test authority");
        write(&files.authority(), authority.pem().as_bytes());
        write(&files.other_authority(), new_authority("Somebody else").pem().as_bytes());
        files.make_server(&authority);
        files.make_client(&authority);
        files
    }

    fn make_server(&self, authority: &Authority) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("`localhost` is a name");
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = new_key();
        let certificate = params.signed_by(&key, authority).expect("the parameters are complete");
        write(&self.server(), certificate.pem().as_bytes());
        params.not_after = date_time_ymd(2020, 1, 1);
        let expired = params.signed_by(&key, authority).expect("the parameters are complete");
        write(&self.expired(), expired.pem().as_bytes());
        write_key(&self.server_key(), &key);
        give_to_server(&self.server_key());
    }

    fn make_client(&self, authority: &Authority) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, Role::Certificate.name());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = new_key();
        let certificate = params.signed_by(&key, authority).expect("the parameters are complete");
        write(&self.client(), certificate.pem().as_bytes());
        write_key(&self.client_key(), &key);
        write(&self.identity(), &identity(&key, &[certificate.der(), authority.der()]));
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has random numbers")
}

fn new_authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, new_key()).expect("the parameters are complete")
}

fn identity(key: &KeyPair, chain: &[&[u8]]) -> Vec<u8> {
    let key = PrivateKey::from_der(&key.serialize_der()).expect("rcgen writes PKCS#8");
    let chain = chain.iter().map(|der| P12Certificate::from_der(der).expect("rcgen writes X.509"));
    let mut store = KeyStore::new();
    store.add_entry("client", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("client", key, chain)));
    // As few rounds as other programs accept: this password protects nothing.
    let writer =
        store.writer(Certificates::IDENTITY_PASSWORD).encryption_iterations(1000).mac_iterations(1000);
    writer.write().expect("the store is complete")
}

fn write(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// PostgreSQL and libpq refuse a key that others can read.
fn write_key(path: &Path, key: &KeyPair) {
    use std::os::unix::fs::PermissionsExt;
    write(path, key.serialize_pem().as_bytes());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
}
