//! An address where connections come in.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Connections that may wait to be taken, as many as Linux allows unless it is told otherwise. Those beyond are not heard until
/// they try again, a second later or more, and one in some hundred thousand was cut: `TcpListener::bind` lets 128 wait.
const WAITING: u32 = 4096;

/// Listens at an address, as in `127.0.0.1:8083` or `localhost:0`; the error is that of its last address.
pub async fn bind(address: &str) -> io::Result<TcpListener> {
    let mut refused = io::Error::new(io::ErrorKind::InvalidInput, "no such address");
    for one in lookup_host(address).await? {
        match listen(one) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Whoever starts again has the address at once, though connections of before are still ending.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn an_address_is_taken_once() {
        for any in ["127.0.0.1:0", "[::1]:0", "localhost:0"] {
            let listener = bind(any).await.unwrap();
            let taken = listener.local_addr().unwrap().to_string();
            let error = bind(&taken).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{any}");
        }
        assert!(bind("nowhere").await.is_err());
    }

    #[tokio::test]
    async fn an_address_is_free_though_a_connection_of_before_is_ending() {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        drop(listener.accept().await.unwrap());
        drop(listener);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        drop(client);
        bind(&address.to_string()).await.unwrap();
    }
}
