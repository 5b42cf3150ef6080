//! TLS, always with verification.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, ErrorKind, Result};

/// Which authorities are trusted.
#[derive(Debug)]
pub(super) enum Authorities<'a> {
    /// None, because there is no TLS.
    None,
    /// Those of the machine.
    System,
    /// Those of a PEM file.
    File(&'a Path),
}

pub(super) fn connector(authorities: &Authorities<'_>) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Authorities::None => {}
        // A certificate that cannot be read verifies nothing; the others may do.
        Authorities::System => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        Authorities::File(path) => {
            let text = std::fs::read(path)
                .map_err(|error| Error::io(format!("cannot read sslrootcert, {}", path.display()), error))?;
            let unusable =
                || Error::new(ErrorKind::Config, "sslrootcert must be a file of certificates as PEM").with_file(path);
            for certificate in CertificateDer::pem_slice_iter(&text) {
                roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
            }
            if roots.is_empty() {
                return Err(unusable());
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("invariant: ring has what TLS 1.2 and 1.3 need")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
