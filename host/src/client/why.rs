//! Why no answer came, in words that are not the library's own.

use std::io;

use rustls::CertificateError;

/// What went wrong on the way to a server.
#[derive(Debug)]
pub enum Why {
    /// Its name leads nowhere.
    NoSuchHost,
    /// It did not answer in time.
    TooLate,
    /// Its certificate is not trusted, for this reason.
    Distrusted(&'static str),
    /// Its certificate is not one that a server can have.
    BadCertificate,
    /// It does not speak TLS as we do.
    NoTls,
    /// It does not speak HTTP.
    NoHttp,
    /// The connection could not be made, or ended.
    Connection(io::ErrorKind),
}

impl Why {
    pub(super) fn of(error: &ureq::Error) -> Why {
        match error {
            ureq::Error::HostNotFound => Why::NoSuchHost,
            ureq::Error::Timeout(_) => Why::TooLate,
            ureq::Error::Rustls(error) => distrust(error),
            ureq::Error::Io(error) => of_io(error),
            _ => Why::NoHttp,
        }
    }

    pub(super) fn text(&self) -> String {
        let text = match self {
            Why::NoSuchHost => "no such host",
            Why::TooLate => "no answer in time",
            Why::Distrusted(why) => why,
            Why::BadCertificate => "its certificate is not valid, or is an authority's own",
            Why::NoTls => "it does not speak TLS",
            Why::NoHttp => "it does not speak HTTP",
            Why::Connection(kind) => return kind.to_string(),
        };
        text.to_owned()
    }

    /// What to do about it.
    pub(super) fn next(&self) -> &'static str {
        match self {
            Why::NoSuchHost => "check the address in --server or TRIBUTARY_URL",
            Why::Distrusted(_) => {
                "check the address, or name the certificate of its authority with --ca"
            }
            Why::BadCertificate => {
                "give the server one of its own, with `basicConstraints=CA:FALSE`"
            }
            Why::NoTls | Why::NoHttp => {
                "does its address begin with the right one of http:// and https://?"
            }
            Why::TooLate | Why::Connection(_) => {
                "is the server running? start it with `tributary serve`, or name another with --server"
            }
        }
    }

    /// Whether the other side ended the connection.
    pub(super) fn is_hang_up(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(
            self,
            Why::Connection(BrokenPipe | ConnectionAborted | ConnectionReset)
        )
    }
}

fn of_io(error: &io::Error) -> Why {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(error) = tls {
        return distrust(error);
    }
    // Names that cannot be resolved have no kind of their own.
    match error.to_string().contains("lookup address") {
        true => Why::NoSuchHost,
        false => Why::Connection(error.kind()),
    }
}

fn distrust(error: &rustls::Error) -> Why {
    use CertificateError as Bad;
    let rustls::Error::InvalidCertificate(why) = error else {
        return Why::NoTls;
    };
    Why::Distrusted(match why {
        Bad::UnknownIssuer => "its certificate is of an authority that is not trusted",
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "its certificate is not valid yet",
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "its certificate is for another name"
        }
        _ => return Why::BadCertificate,
    })
}
