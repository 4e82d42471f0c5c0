//! Servers of a tree that is not this machine (`--root`): what their configuration needs.

use crate::advice::server_blocks;
use crate::finding::Finding;
use crate::store::layout::{LineageLayout, StableLink};
use crate::webserver::model::ServerSoftware;

/// Reports that a server of the tree was not read, with the lines for its configuration: the paths are
/// those that it sees.
pub(super) fn report(software: ServerSoftware, layout: &LineageLayout) -> Finding {
    let mut links: Vec<StableLink> = Vec::new();
    for link in layout.links() {
        let path = layout.path_inside_tree(&link.path);
        links.push(StableLink::new(path, link.piece));
    }
    let message = format!(
        "certctl did not read, test or reload {} of the tree {}: it never runs programs from a tree",
        software.title(),
        layout.root().display()
    );
    let lines = software.certificate_lines(&links);
    let step = server_blocks::add_lines_in_tree(software, layout.root(), lines);
    Finding::note("tree-server-not-read", message).with_step(step)
}
