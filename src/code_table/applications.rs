//! Findings about the applications that `site --app` runs.
//! Rows of the code table, sorted by code.

use super::entry::{CodeEntry, FINDING};

pub(super) static ROWS: &[CodeEntry] = &[
    CodeEntry {
        code: "application-failed",
        meaning: "the application did not start, or does not answer as it should",
        why: "Visitors would get an error page. User, service and block were removed again, or are \
            as they were before.",
        fix: "Repair what the last lines of the log say, then run the same command again.",
        source: "certctl",
        example: "  File \"/srv/shop/wsgi.py\", line 1\n\
            ModuleNotFoundError: No module named 'flask'\n\
            [ERROR] Worker failed to boot.",
        ..FINDING
    },
    CodeEntry {
        code: "application-unreadable",
        meaning: "the application's own user may not use its folder or virtual environment",
        why: "The application runs as an unprivileged user of its own, which needs to enter every \
            folder above it and to read its files.",
        fix: "Give other users the printed permission, or move the application to a folder such as \
            /srv.",
        source: "path_resolution(7)",
        example: "$ ls -ld /home/ann\n\
            drwx------ 9 ann ann 4096 Jan  8 10:02 /home/ann",
        ..FINDING
    },
    CodeEntry {
        code: "application-user-taken",
        meaning: "a user with the name of the application's own user exists already",
        why: "certctl creates that user, and removes it with the application. It leaves a user alone \
            that it did not create.",
        fix: "Find out what the user is for. If nothing needs it, remove it: \
            `sudo userdel app-shop-example`.",
        source: "certctl",
        example: "$ getent passwd app-shop-example\n\
            app-shop-example:x:1002:1002::/home/shop:/bin/bash",
        ..FINDING
    },
    CodeEntry {
        code: "gunicorn-missing",
        meaning: "the virtual environment of the application does not exist, or lacks gunicorn",
        why: "gunicorn runs the application; for ASGI it also needs uvicorn.",
        fix: "Install it in the environment as the environment's owner, or let certctl make an \
            environment: `--venv`.",
        source: "docs.gunicorn.org",
        example: "$ ls /srv/shop/venv/bin\n\
            activate  flask  pip  python",
        ..FINDING
    },
    CodeEntry {
        code: "service-manager-missing",
        meaning: "no service manager of this machine can run the application",
        why: "The application has to start with the machine, and again when it ends: systemd or \
            supervisor does that.",
        fix: "Install supervisor, or start the application yourself and pass its URL: `certctl site \
            example.com --upstream http://127.0.0.1:8000`.",
        source: "certctl",
        example: "$ sudo supervisorctl pid\n\
            unix:///var/run/supervisor.sock no such file",
        ..FINDING
    },
];
