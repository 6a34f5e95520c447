//! The certificates of a stack: TLS with client certificates is on even locally.
//!
//! Two authorities, because they open different doors: one for the connector, whose only client is
//! Dex; one for Dex's admin API, whose holder is full administrator of Dex.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{Datelike as _, Days, NaiveDate};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::secrets::write_private;

/// Made anew at each start of a stack, so it only has to outlast one.
const VALID_DAYS: u64 = 365;

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub cert: PathBuf,
    /// Its private key; only the owner may read it.
    pub key: PathBuf,
}

/// One authority with one server and one client.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The server's identity.
    pub server: Identity,
    /// The client's identity.
    pub client: Identity,
}

/// All certificates of a stack.
#[derive(Clone, Debug)]
pub struct Pki {
    /// auth-connector (`localhost`, `127.0.0.1`, `auth-connector`) and its client `dex`.
    pub connector: Authority,
    /// Dex's admin API (`localhost`, `127.0.0.1`, `dex`) and its client `auth-connector`.
    pub dex_admin: Authority,
}

impl Pki {
    /// Makes all certificates in a directory, replacing what is there.
    pub fn create(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("{} cannot be made", dir.display()))?;
        let connector = ["localhost", "127.0.0.1", "auth-connector"];
        let dex_admin = ["localhost", "127.0.0.1", "dex"];
        Ok(Self {
            connector: authority(dir, "connector", &connector, "dex")?,
            dex_admin: authority(dir, "dex-admin", &dex_admin, "auth-connector")?,
        })
    }
}

/// Makes the certificates of one authority in a directory: its own, and those of a server with these
/// names and of a client.
pub(crate) fn authority(
    dir: &Path,
    name: &str,
    server: &[&str],
    client: &str,
) -> Result<Authority> {
    let mut params = params(&format!("{name} CA of the local stack"), &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let ca = dir.join(format!("{name}-ca.pem"));
    write_private(&ca, &issuer.pem())?;

    let identity = |role: &str, names: &[&str], usage| -> Result<Identity> {
        let mut params = self::params(names.last().context("a certificate has a name")?, names)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let files = Identity {
            cert: dir.join(format!("{name}-{role}.pem")),
            key: dir.join(format!("{name}-{role}.key")),
        };
        write_private(&files.cert, &params.signed_by(&key, &issuer)?.pem())?;
        write_private(&files.key, &key.serialize_pem())?;
        Ok(files)
    };
    Ok(Authority {
        ca,
        server: identity("server", server, ExtendedKeyUsagePurpose::ServerAuth)?,
        client: identity("client", &[client], ExtendedKeyUsagePurpose::ClientAuth)?,
    })
}

fn params(name: &str, subjects: &[&str]) -> Result<CertificateParams> {
    let subjects: Vec<String> = subjects.iter().map(|&subject| subject.to_owned()).collect();
    let mut params = CertificateParams::new(subjects)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let today = today();
    // From yesterday on: clocks of one machine agree, time zones do not.
    params.not_before = midnight(today.checked_sub_days(Days::new(1)))?;
    params.not_after = midnight(today.checked_add_days(Days::new(VALID_DAYS)))?;
    Ok(params)
}

fn midnight<T>(date: Option<NaiveDate>) -> Result<T>
where
    T: From<std::time::SystemTime>,
{
    let date = date.context("a date of this age has neighbours")?;
    let (month, day) = (u8::try_from(date.month())?, u8::try_from(date.day())?);
    Ok(std::time::SystemTime::from(date_time_ymd(date.year(), month, day)).into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "certificates of a development stack begin when it does; nothing tests their dates"
)]
fn today() -> NaiveDate {
    chrono::Utc::now().date_naive()
}
