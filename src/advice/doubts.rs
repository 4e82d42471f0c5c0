//! Advice on doubts that only certctl has: the server accepts what it is about.

use crate::finding::NextStep;

/// certctl does not reload Apache, because Apache would exit when it loads one of its certificates.
#[must_use]
pub(crate) fn allow_reload() -> [NextStep; 2] {
    [
        NextStep::say(
            "Give each of these lines a certificate and the key that belongs to it, then run the \
             same `certctl install` again",
        ),
        NextStep::say(
            "If Apache has started with these very files, run the same `certctl install` again with \
             `--allow apache-reload-risk`",
        ),
    ]
}

/// certctl cannot read a configuration that the server accepts.
#[must_use]
pub(crate) fn allow_unread_config() -> NextStep {
    NextStep::say(
        "Run the same `certctl install` again with `--allow config-not-understood`, the paths that \
         the server reads, for example `--chain-path /etc/nginx/ssl/example.com.crt --key-path \
         /etc/nginx/ssl/example.com.key`, and its address, for example `--probe 127.0.0.1:443`",
    )
}

/// Apache may exit at a reload because the key in its key store is not that of the new certificate.
#[must_use]
pub(crate) fn reload_with_other_key() -> NextStep {
    NextStep::say(
        "If the new key is in the key store already and the configuration names it, run the same \
         `certctl install` again with `--allow apache-reload-risk`",
    )
}
