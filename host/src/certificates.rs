//! Certificates in a file, as a person names them.

use std::fs;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

use crate::output::cannot_read;

/// The certificates in a PEM file, one at least. The error is for the person who named it.
pub fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let pem = fs::read(file).map_err(|error| cannot_read(file, &error))?;
    let certificates: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.unwrap_or_default();
    let damaged = || format!("`{shown}` has a part that is cut, damaged or of no known kind");
    if certificates.is_empty() {
        return Err(match pem.windows(BEGIN.len()).any(|text| text == BEGIN) {
            true => damaged(),
            false => format!("`{shown}` holds no certificates in PEM form"),
        });
    }
    for certificate in &certificates {
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|_| damaged())?;
    }
    Ok(certificates)
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_whole_list_of_certificates_is_told_by_name() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("ca.pem");
        let good = rcgen::generate_simple_self_signed(["a.example.test".to_owned()]).unwrap();
        let good = good.cert.pem();
        let cut = &good[..good.len() / 2];
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, why) in [
            (String::new(), "holds no certificates in PEM form"),
            ("no pem".to_owned(), "holds no certificates in PEM form"),
            (
                cut.to_owned(),
                "has a part that is cut, damaged or of no known kind",
            ),
            (
                format!("{good}{cut}"),
                "has a part that is cut, damaged or of no known kind",
            ),
            (
                format!("{good}{other}"),
                "has a part that is cut, damaged or of no known kind",
            ),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(
                read(&file).unwrap_err(),
                format!("`{}` {why}", file.display())
            );
        }
        fs::write(&file, good.repeat(2)).unwrap();
        assert_eq!(read(&file).unwrap().len(), 2);
        let missing = read(Path::new("/nowhere/ca.pem")).unwrap_err();
        assert_eq!(
            missing,
            "cannot read `/nowhere/ca.pem`: there is no such file"
        );
    }
}
