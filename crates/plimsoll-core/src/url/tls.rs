//! What a URL says about TLS.

use std::path::{Path, PathBuf};

use super::invalid;
use super::parameters::Parameters;
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;

/// Everything about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether it is used.
    pub mode: TlsMode,
    /// What of the server's certificate is checked.
    pub verify: Verify,
    /// `sslcert` or `sslrootcert`: certificates to trust instead of the system's.
    pub roots: Option<PathBuf>,
    /// `sslidentity`: a PKCS#12 file with our certificate and key.
    pub identity: Option<PathBuf>,
    /// `sslpassword`: opens that file.
    pub identity_password: Option<Secret>,
}

/// Whether TLS is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it. Prisma's default.
    #[default]
    Prefer,
    /// Always.
    Require,
}

/// What of the server's certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Nothing: `sslaccept=accept_invalid_certs`, which is Prisma's default.
    #[default]
    Nothing,
    /// That a trusted authority signed it: `sslmode=verify-ca`.
    Authority,
    /// That, and that it is for this host: `sslmode=verify-full`, or `sslaccept=strict`.
    AuthorityAndHost,
}

impl Tls {
    pub(super) fn take(parameters: &mut Parameters, base: &Path) -> Result<Self, Diagnostic> {
        let asked_by_ssl = ssl_word(parameters)?;
        let (mode, verify_by_mode) = match parameters.take("sslmode").as_deref() {
            None => (asked_by_ssl, Verify::Nothing),
            Some("prefer") => (Some(TlsMode::Prefer), Verify::Nothing),
            Some("disable") => (Some(TlsMode::Disable), Verify::Nothing),
            Some("require") => (Some(TlsMode::Require), Verify::Nothing),
            Some("verify-ca") => (Some(TlsMode::Require), Verify::Authority),
            Some("verify-full") => (Some(TlsMode::Require), Verify::AuthorityAndHost),
            // Not shown: whoever mixes up parameters may have put anything there.
            Some(_) => {
                return Err(invalid("`sslmode` is none of disable, prefer, require, verify-ca, verify-full"));
            }
        };
        let verify_by_accept = match parameters.take("sslaccept").as_deref() {
            None | Some("accept_invalid_certs") => Verify::Nothing,
            // Prisma takes every other word for `strict`: the safe side.
            Some(_) => Verify::AuthorityAndHost,
        };
        // As in libpq: `system` means the system's certificates and a full check.
        let root_of_libpq = parameters.take("sslrootcert");
        let verify_by_root = match root_of_libpq.as_deref() {
            None => Verify::Nothing,
            Some("system") => Verify::AuthorityAndHost,
            // Naming an authority means to check it.
            Some(_) => Verify::Authority,
        };
        let mut path = |name: &str| parameters.take(name).map(|path| base.join(path));
        let root_of_prisma = path("sslcert");
        let root_of_libpq = root_of_libpq.filter(|path| path != "system").map(|path| base.join(path));
        let verify = strictest([verify_by_mode, verify_by_accept, verify_by_root]);
        let mode = match (mode, verify) {
            (mode, Verify::Nothing) => mode.unwrap_or_default(),
            (Some(TlsMode::Disable), _) => {
                return Err(invalid("it asks to check certificates and to use no TLS: `sslmode=disable`"));
            }
            // What has to be checked has to be there: falling back to plain text would check nothing.
            (_, Verify::Authority | Verify::AuthorityAndHost) => TlsMode::Require,
        };
        Ok(Self {
            mode,
            verify,
            roots: root_of_libpq.or(root_of_prisma),
            identity: path("sslidentity"),
            identity_password: parameters.take("sslpassword").map(Secret::new),
        })
    }
}

impl Tls {
    /// The same for `mysql://`, where there is no TLS unless a parameter speaks of it, as in Prisma; and then there is no
    /// falling back to plain text.
    pub(super) fn take_of_mysql(parameters: &mut Parameters, base: &Path) -> Result<Self, Diagnostic> {
        let word = mysql_word(parameters)?;
        let accept = parameters.take("sslaccept");
        let mut path = |name: &str| parameters.take(name).map(|path| base.join(path));
        let (roots, identity) = (path("sslcert"), path("sslidentity"));
        let identity_password = parameters.take("sslpassword").map(Secret::new);
        let verify_by_accept = match accept.as_deref() {
            None | Some("accept_invalid_certs") => Verify::Nothing,
            // Prisma takes every other word for `strict`: the safe side.
            Some(_) => Verify::AuthorityAndHost,
        };
        let given = accept.is_some() || roots.is_some() || identity.is_some() || identity_password.is_some();
        let (asked, verify_by_word) = word.unwrap_or((TlsMode::Prefer, Verify::Nothing));
        let verify = strictest([verify_by_accept, verify_by_word, Verify::Nothing]);
        let mode = match asked {
            TlsMode::Disable if given => {
                return Err(invalid("it has parameters of TLS, and asks to use none"));
            }
            // What a URL does not ask for is not tried, as in Prisma.
            TlsMode::Prefer | TlsMode::Disable if !given => TlsMode::Disable,
            _ => TlsMode::Require,
        };
        Ok(Self { mode, verify, roots, identity, identity_password })
    }
}

/// The word of MySQL's own clients, `ssl-mode`, which hosting services put into their URLs, in the spellings that are
/// about. Prisma overlooks it; TLS is what it asks for.
fn mysql_word(parameters: &mut Parameters) -> Result<Option<(TlsMode, Verify)>, Diagnostic> {
    let mut found = None;
    for name in ["ssl", "sslmode", "ssl-mode", "ssl_mode"] {
        let Some(value) = parameters.take(name) else { continue };
        found = Some(match value.to_ascii_lowercase().replace('-', "_").as_str() {
            "false" | "0" | "disable" | "disabled" => (TlsMode::Disable, Verify::Nothing),
            "prefer" | "preferred" => (TlsMode::Prefer, Verify::Nothing),
            "true" | "1" | "require" | "required" | "no_verify" => (TlsMode::Require, Verify::Nothing),
            // To check the host as well is the strict way to check the authority; the driver has no other.
            "verify_ca" | "verify_full" | "verify_identity" => (TlsMode::Require, Verify::AuthorityAndHost),
            // Not shown: whoever mixes up parameters may have put anything there.
            _ => return Err(invalid(format_args!("`{name}` is no word for TLS: use `sslaccept`"))),
        });
    }
    Ok(found)
}

/// node-postgres' word, which hosting services put into their URLs. Prisma overlooks it; TLS is what it asks for.
fn ssl_word(parameters: &mut Parameters) -> Result<Option<TlsMode>, Diagnostic> {
    match parameters.take("ssl").as_deref() {
        None => Ok(None),
        Some("true" | "1" | "require" | "no-verify") => Ok(Some(TlsMode::Require)),
        Some("false" | "0") => Ok(Some(TlsMode::Prefer)),
        Some(_) => Err(invalid("`ssl` is neither true nor false: use `sslmode`")),
    }
}

fn strictest(all: [Verify; 3]) -> Verify {
    if all.contains(&Verify::AuthorityAndHost) {
        Verify::AuthorityAndHost
    } else if all.contains(&Verify::Authority) {
        Verify::Authority
    } else {
        Verify::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn parse(query: &str) -> Result<Tls, Diagnostic> {
        Tls::take(&mut Parameters::parse(query), Path::new("/base"))
    }

    #[test]
    fn the_strictest_of_all_words_about_certificates_counts() {
        let tls = |query: &str| parse(query).unwrap();
        assert_eq!(tls("sslmode=require").verify, Verify::Nothing);
        assert_eq!(tls("sslmode=verify-ca").verify, Verify::Authority);
        assert_eq!(tls("sslmode=verify-full").verify, Verify::AuthorityAndHost);
        assert_eq!(tls("sslaccept=strict").verify, Verify::AuthorityAndHost);
        assert_eq!(tls("sslmode=require&sslrootcert=ca.pem").verify, Verify::Authority);
        assert_eq!(tls("sslcert=ca.pem").roots, Some(PathBuf::from("/base/ca.pem")));
        assert_eq!(tls("sslcert=ca.pem").verify, Verify::Nothing);
        assert_eq!(tls("sslrootcert=system").verify, Verify::AuthorityAndHost);
        assert_eq!(tls("sslrootcert=system").roots, None);
    }

    #[test]
    fn mysql_has_tls_if_and_only_if_a_parameter_speaks_of_it() {
        let parse = |query: &str| {
            let tls = Tls::take_of_mysql(&mut Parameters::parse(query), Path::new("/base"));
            tls.map(|tls| (tls.mode, tls.verify)).map_err(|error| error.code)
        };
        let (off, on) = ((TlsMode::Disable, Verify::Nothing), (TlsMode::Require, Verify::Nothing));
        let strict = (TlsMode::Require, Verify::AuthorityAndHost);
        for (query, expected) in [
            ("", Ok(off)),
            ("ssl-mode=PREFERRED", Ok(off)),
            ("ssl=false", Ok(off)),
            ("sslcert=ca.pem", Ok(on)),
            ("sslidentity=me.p12&sslpassword=x", Ok(on)),
            ("sslaccept=accept_invalid_certs", Ok(on)),
            ("ssl-mode=REQUIRED", Ok(on)),
            ("sslaccept=strict", Ok(strict)),
            ("sslmode=require&sslaccept=yes", Ok(strict)),
            ("ssl-mode=VERIFY_IDENTITY", Ok(strict)),
            ("ssl={}", Err(Code::UrlInvalid)),
            ("ssl=false&sslaccept=strict", Err(Code::UrlInvalid)),
        ] {
            assert_eq!(parse(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_to_be_checked_is_never_sent_in_plain_text() {
        let mode = |query: &str| parse(query).map(|tls| tls.mode).map_err(|error| error.code);
        for query in [
            "sslaccept=strict",
            "sslmode=prefer&sslaccept=strict",
            "sslrootcert=ca.pem",
            "sslrootcert=system",
            "ssl=true",
        ] {
            assert_eq!(mode(query), Ok(TlsMode::Require), "{query}");
        }
        assert_eq!(mode("sslmode=disable&sslaccept=strict"), Err(Code::UrlInvalid));
        assert_eq!(mode("ssl=verify-full"), Err(Code::UrlInvalid));
        assert_eq!(mode("sslmode=prefer"), Ok(TlsMode::Prefer));
    }
}
