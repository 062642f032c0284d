//! Options of encrypted connections.

use super::lexer::{Token, TokenKind};
use super::parser::{Parse, Parser};
use super::statement::{Checksum, Hash, TlsFile, TlsOption, TlsUse, TlsVersion};

const VERSIONS: [(&str, TlsVersion); 8] = [
    ("auto", TlsVersion::Auto),
    ("sslauto", TlsVersion::Auto),
    ("sslv2", TlsVersion::SslV2),
    ("sslv3", TlsVersion::SslV3),
    ("tlsv1", TlsVersion::TlsV1),
    ("tlsv11", TlsVersion::TlsV11),
    ("tlsv12", TlsVersion::TlsV12),
    ("tlsv13", TlsVersion::TlsV13),
];

const FILES: [(&str, TlsFile); 6] = [
    ("pemfile", TlsFile::PemFile),
    ("pemchain", TlsFile::PemChain),
    ("pemkey", TlsFile::PemKey),
    ("clientpemfile", TlsFile::ClientPemFile),
    ("cacertificatefile", TlsFile::CaCertificateFile),
    ("cacertificatepath", TlsFile::CaCertificatePath),
];

impl Parser<'_> {
    /// `ssl [{ … }]`, a version or the checksum of a certificate, if one begins with the next token.
    pub(super) fn tls_use(&mut self) -> Parse<Option<TlsUse>> {
        if self.accept("ssl") || self.accept("tls") {
            let options = if self.peek().kind == TokenKind::Open { self.tls_options()? } else { Vec::new() };
            return Ok(Some(TlsUse::Options(options)));
        }
        if let Some(checksum) = self.certificate_checksum()? {
            return Ok(Some(TlsUse::Checksum(checksum)));
        }
        Ok(self.tls_version()?.map(TlsUse::Version))
    }

    /// A version, if one is the next token.
    pub(super) fn tls_version(&mut self) -> Parse<Option<TlsVersion>> {
        let token = self.peek();
        let version = self.accept_of(&VERSIONS);
        version.map(|version| self.living(token, version)).transpose()
    }

    /// The version, unless no library has it any more, as the original says of the one it is built with.
    fn living(&mut self, token: Token, version: TlsVersion) -> Parse<TlsVersion> {
        if !matches!(version, TlsVersion::SslV2 | TlsVersion::SslV3) {
            return Ok(version);
        }
        let error = self.error(token.span, "no TLS library of today speaks this version");
        Err(Box::new(error.with_help("'auto' takes the best one that both sides know")))
    }

    /// `certificate checksum [md5] [=] HASH` or `certmd5 HASH`
    fn certificate_checksum(&mut self) -> Parse<Option<Checksum>> {
        if self.accept("certmd5") {
            return Ok(Some(Checksum { kind: Some(Hash::Md5), expected: self.hash()? }));
        }
        let (first, second) = (self.peek(), self.peek_second());
        if !self.is(first, "certificate") || !self.is(second, "checksum") {
            return Ok(None);
        }
        self.advance();
        self.key_checksum().map(Some)
    }

    /// `checksum [md5] [=] HASH`
    pub(super) fn key_checksum(&mut self) -> Parse<Checksum> {
        self.expect("checksum")?;
        let kind = self.hash_kind();
        let token = self.peek();
        let sign = token.kind == TokenKind::Operator && matches!(self.lexer.slice(token.span), b"=" | b"==");
        if sign || self.is(token, "eq") || self.is(token, "equal") {
            self.advance();
        }
        Ok(Checksum { kind, expected: self.hash()? })
    }

    /// `{ … }`
    pub(super) fn tls_options(&mut self) -> Parse<Vec<TlsOption>> {
        self.expect_kind(TokenKind::Open, "'{'")?;
        let mut options = Vec::new();
        while self.peek().kind != TokenKind::Close {
            options.push(self.tls_option()?);
        }
        self.advance();
        Ok(options)
    }

    fn tls_option(&mut self) -> Parse<TlsOption> {
        if let Some(file) = self.accept_of(&FILES) {
            self.expect_kind(TokenKind::Colon, "':'")?;
            return Ok(TlsOption::File(file, self.path("an absolute path")?));
        }
        #[derive(Clone, Copy)]
        enum Word {
            Version,
            Verify,
            SelfSigned,
            Ciphers,
        }
        const WORDS: [(&str, Word); 4] = [
            ("version", Word::Version),
            ("verify", Word::Verify),
            ("selfsigned", Word::SelfSigned),
            ("ciphers", Word::Ciphers),
        ];
        let word = self.expect_of("an option such as 'version' or 'verify', or '}'", &WORDS)?;
        self.expect_kind(TokenKind::Colon, "':'")?;
        Ok(match word {
            Word::Version => TlsOption::Version(self.tls_versions()?),
            Word::Verify => TlsOption::Verify(self.enabled()?),
            Word::SelfSigned => {
                TlsOption::SelfSigned(self.expect_of("'allow' or 'reject'", &[("allow", true), ("reject", false)])?)
            }
            Word::Ciphers => TlsOption::Ciphers(self.string("a list of ciphers")?),
        })
    }

    /// Versions, of which a minus sign switches one off.
    fn tls_versions(&mut self) -> Parse<Vec<(TlsVersion, bool)>> {
        let mut versions = Vec::new();
        loop {
            let token = self.peek();
            let word = self.lexer.slice(token.span).to_ascii_lowercase();
            let (off, name) = match word.strip_prefix(b"-") {
                Some(name) => (true, name),
                None => (false, word.as_slice()),
            };
            let known = VERSIONS.iter().find(|(known, _)| known.as_bytes() == name);
            match known {
                Some((_, version)) if token.kind == TokenKind::Word => {
                    self.advance();
                    versions.push((if off { *version } else { self.living(token, *version)? }, off));
                }
                _ if versions.is_empty() => {
                    let known: Vec<&'static str> = VERSIONS.iter().map(|(word, _)| *word).collect();
                    return Err(self.expected_word("a version such as 'auto' or 'tlsv12'", &known));
                }
                _ => return Ok(versions),
            }
        }
    }
}
