//! Connections with TLS: rustls, and what a URL says of it as libpq understands it.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::super::{Result, StoreError};

/// How a database is reached.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// Everything but TLS.
    pub(super) config: Config,
    /// TLS, if the URL asks for it.
    pub(super) tls: Tls,
}

/// What is known of the database's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// No TLS.
    Plain,
    /// TLS, whoever answers.
    Encrypted,
    /// TLS, and the certificate is that of the host by a root that is trusted.
    Verified,
}

impl Way {
    /// Reads a URL, or the words of libpq (`host=… sslmode=…`). `sslmode` and `sslrootcert` are ours.
    ///
    /// # Errors
    ///
    /// It is none, or its certificates cannot be read.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let (rest, mode, root) = split(url);
        let wanted = match mode.as_deref() {
            None | Some("disable" | "allow" | "prefer") => Wanted::Plain,
            Some("require") => Wanted::Encrypted,
            Some("verify-full") => Wanted::Verified,
            Some(other) => {
                return Err(wrong(format!(
                    "sslmode `{other}` is not known: disable, require (encrypted) or verify-full \
                     (encrypted, and the certificate is that of the host)"
                )));
            }
        };
        let mut config: Config = rest.parse().map_err(StoreError::from)?;
        config.ssl_mode(match wanted {
            Wanted::Plain => SslMode::Disable,
            Wanted::Encrypted | Wanted::Verified => SslMode::Require,
        });
        let tls = match wanted {
            Wanted::Plain => None,
            Wanted::Encrypted | Wanted::Verified => Some(client(wanted, root)?),
        };
        Ok(Self { config, tls: Tls(tls) })
    }
}

fn wrong(text: impl Into<String>) -> StoreError {
    StoreError::Unavailable(text.into())
}

/// A URL without what it says of TLS, and that.
fn split(url: &str) -> (String, Option<String>, Option<PathBuf>) {
    let (mut mode, mut root) = (None, None);
    let mut take = |name: &str, value: String| match name {
        "sslmode" => mode = Some(value),
        "sslrootcert" => root = Some(PathBuf::from(value)),
        _ => {}
    };
    let is_ours = |name: &str| matches!(name, "sslmode" | "sslrootcert");
    let rest = if url.contains("://") {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
            if is_ours(name) {
                for (name, value) in form_urlencoded::parse(pair.as_bytes()) {
                    take(&name, value.into_owned());
                }
            } else {
                kept.push(pair);
            }
        }
        let mark = if kept.is_empty() { "" } else { "?" };
        format!("{base}{mark}{}", kept.join("&"))
    } else {
        let mut kept = Vec::new();
        for word in url.split_whitespace() {
            match word.split_once('=') {
                Some((name, value)) if is_ours(name) => take(name, value.to_owned()),
                _ => kept.push(word),
            }
        }
        kept.join(" ")
    };
    (rest, mode, root)
}

fn client(wanted: Wanted, root: Option<PathBuf>) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?;
    let config = match wanted {
        Wanted::Verified => builder.with_root_certificates(roots(root)?).with_no_client_auth(),
        Wanted::Plain | Wanted::Encrypted => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// The roots of a file, or those that the machine trusts.
fn roots(file: Option<PathBuf>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(wrong(
                "sslmode=verify-full: this machine trusts no certificate: install \
                 ca-certificates, or name a file with sslrootcert",
            ));
        }
        return Ok(roots);
    };
    let fail = |why: String| wrong(format!("sslrootcert {}: {why}", file.display()));
    let certificates =
        CertificateDer::pem_file_iter(&file).map_err(|error| fail(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| fail(error.to_string()))?;
        roots.add(certificate).map_err(|error| fail(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(fail("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

/// Takes every certificate, as `sslmode=require` asks: nobody listens in, but who answers is not
/// known.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Makes connections with TLS, where it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Tls(Option<Arc<ClientConfig>>);

/// One connection that becomes one with TLS.
#[derive(Debug)]
pub(super) struct Handshake {
    config: Arc<ClientConfig>,
    host: ServerName<'static>,
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        let config = match &self.0 {
            Some(config) => Arc::clone(config),
            // Nobody shakes hands here; a configuration without roots trusts nobody.
            None => client(Wanted::Plain, None).map_err(io::Error::other)?,
        };
        // A socket of this machine has no name, and no TLS.
        let host =
            ServerName::try_from(if host.is_empty() { "localhost" } else { host }.to_owned());
        Ok(Handshake { config, host: host.map_err(io::Error::other)? })
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { config, host } = self;
        Box::pin(
            async move { TlsConnector::from(config).connect(host, stream).await.map(Encrypted) },
        )
    }
}

/// A connection with TLS.
#[derive(Debug)]
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says_of_tls_is_taken_out_of_it() {
        let (rest, mode, root) = split(
            "postgres://a:b@h/d?sslmode=verify-full&options=-c%20x&sslrootcert=%2Fetc%2Fca.pem",
        );
        assert_eq!(rest, "postgres://a:b@h/d?options=-c%20x");
        assert_eq!(mode.as_deref(), Some("verify-full"));
        assert_eq!(root, Some(PathBuf::from("/etc/ca.pem")));
        let (rest, mode, _) = split("host=h sslmode=require dbname=d");
        assert_eq!((rest.as_str(), mode.as_deref()), ("host=h dbname=d", Some("require")));
        assert_eq!(split("postgres://h/d").0, "postgres://h/d");
        assert!(Way::parse("postgres://h/d?sslmode=verify-ca").is_err());
        assert!(Way::parse("postgres://h/d?sslmode=verify-full&sslrootcert=/nowhere").is_err());
    }
}
