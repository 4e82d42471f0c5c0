//! An HTTP server of files, for what certctl downloads.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// A server of files by path, which records the requested paths.
pub struct FileServer {
    pub address: SocketAddr,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    redirects: Arc<Mutex<HashMap<String, String>>>,
    pub requested: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self {
            address,
            files: Arc::default(),
            redirects: Arc::default(),
            requested: Arc::default(),
        };
        let files = Arc::clone(&server.files);
        let redirects = Arc::clone(&server.redirects);
        let requested = Arc::clone(&server.requested);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 2048];
                let length = stream.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let body: Option<Vec<u8>> = files.lock().unwrap().get(&path).cloned();
                let target = redirects.lock().unwrap().get(&path).cloned();
                requested.lock().unwrap().push(path);
                if let Some(target) = target {
                    let _ = write!(
                        stream,
                        "HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\
                            Connection: close\r\n\r\n"
                    );
                    continue;
                }
                let status = if body.is_some() {
                    "200 OK"
                } else {
                    "404 Not Found"
                };
                let body = body.unwrap_or_default();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(&body);
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), bytes.into());
    }

    /// Answers requests for `path` with a redirect.
    pub fn redirect(&self, path: &str, target: &str) {
        let mut redirects = self.redirects.lock().unwrap();
        redirects.insert(path.to_owned(), target.to_owned());
    }
}
