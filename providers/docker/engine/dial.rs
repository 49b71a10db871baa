//! One connection to the engine, whatever the endpoint.

use std::ffi::OsStr;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_rustls::TlsConnector;

use super::Endpoint;

/// Bytes to and from the engine.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens a connection; `tls` is set when the engine is to be reached by TLS.
pub(super) async fn dial(endpoint: &Endpoint, tls: Option<&Arc<ClientConfig>>) -> io::Result<Box<dyn Stream>> {
    match endpoint {
        Endpoint::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        Endpoint::Tcp { host, port, .. } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            let Some(config) = tls else { return Ok(Box::new(stream)) };
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            Ok(Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?))
        }
        Endpoint::Ssh { user, host, port } => Ok(Box::new(Tunnel::open("ssh".as_ref(), user.as_deref(), host, *port)?)),
    }
}

/// The `ssh` program that runs `docker system dial-stdio` on the other side. Dropping it ends the program.
struct Tunnel {
    _program: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Tunnel {
    fn open(program: &OsStr, user: Option<&str>, host: &str, port: Option<u16>) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["-o", "ConnectTimeout=30", "-T"]);
        if let Some(user) = user {
            command.args(["-l", user]);
        }
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        command.args(["--", host, "docker", "system", "dial-stdio"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut program =
            command.spawn().map_err(|error| io::Error::new(error.kind(), format!("cannot run ssh: {error}")))?;
        let broken = || io::Error::other("ssh has no pipes");
        let (to, from) = (program.stdin.take().ok_or_else(broken)?, program.stdout.take().ok_or_else(broken)?);
        Ok(Self { _program: program, to, from })
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.from).poll_read(cx, into)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.to).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::Tunnel;

    #[tokio::test]
    async fn a_tunnel_speaks_through_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ssh");
        std::fs::write(&program, "#!/bin/sh\necho \"$*\"\nread line\necho \"heard $line\"\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut tunnel = Tunnel::open(program.as_os_str(), Some("root"), "host", Some(2222)).unwrap();
        tunnel.write_all(b"GET\n").await.unwrap();
        let mut heard = String::new();
        tunnel.read_to_string(&mut heard).await.unwrap();
        let expected = "-o ConnectTimeout=30 -T -l root -p 2222 -- host docker system dial-stdio\nheard GET\n";
        assert_eq!(heard, expected);
    }

    #[test]
    fn a_missing_program_is_named() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let error = Tunnel::open("no-such-program-here".as_ref(), None, "host", None).err().unwrap().to_string();
        assert!(error.starts_with("cannot run ssh"), "{error}");
    }
}
