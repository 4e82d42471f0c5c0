//! A CA, a DNS zone, a shop and a TLS server, all in this process.
