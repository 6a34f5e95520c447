//! The network of the cluster: a namespace of its own, a link to this machine, and no way further.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::addresses::{ALL, HOST, LINK_PREFIX, NODE, PODS, SERVICES};
use super::tool::tool;
use crate::install::on_path;

/// The namespace, this machine's end of the link, the network of the pods, and their control group: all have this name.
pub(super) const NAME: &str = "dev-cluster";
/// The namespace as a file.
pub(super) const NAMESPACE: &str = "/run/netns/dev-cluster";

/// What this machine hears at the link's address from others, and what it would hand on to the link: nothing. Linux
/// answers at each of its addresses whatever comes in by any link, and a machine with containers hands packets on.
fn wall() -> String {
    format!(
        r#"
        add table inet {NAME}
        add chain inet {NAME} input {{ type filter hook input priority filter; }}
        add rule inet {NAME} input iifname != {{ "lo", "{NAME}" }} ip daddr {ALL} drop
        add chain inet {NAME} forward {{ type filter hook forward priority filter; }}
        add rule inet {NAME} forward iifname "{NAME}" drop
        add rule inet {NAME} forward oifname "{NAME}" drop
        "#
    )
}

/// Makes the namespace and the link. This machine reaches pods and Services through the node, and they reach what
/// listens on this machine's end of the link.
pub(super) fn make() -> Result<()> {
    let (host, node) = (format!("{HOST}/{LINK_PREFIX}"), format!("{NODE}/{LINK_PREFIX}"));
    let gateway = NODE.to_string();
    let inside = ["-n", NAME];
    let steps: [&[&str]; 10] = [
        &["netns", "add", NAME],
        &["link", "add", NAME, "type", "veth", "peer", "name", "node", "netns", NAME],
        &["address", "add", &host, "dev", NAME],
        &["link", "set", NAME, "up"],
        &[inside[0], inside[1], "link", "set", "lo", "up"],
        &[inside[0], inside[1], "address", "add", &node, "dev", "node"],
        &[inside[0], inside[1], "link", "set", "node", "up"],
        // Addresses of Services are translated after a route is found: there must be one.
        &[inside[0], inside[1], "route", "add", "default", "dev", "node"],
        &["route", "add", PODS, "via", &gateway, "dev", NAME],
        &["route", "add", SERVICES, "via", &gateway, "dev", NAME],
    ];
    tool("nft", [wall()]).context("the link is open to others")?;
    steps.into_iter().try_for_each(|step| tool("ip", step).map(drop)).context("no network")?;
    let forward = "echo 1 >/proc/sys/net/ipv4/ip_forward";
    let namespace = format!("--net={NAMESPACE}");
    tool("nsenter", [&namespace, "--", "sh", "-c", forward])
        .context("the node forwards nothing")?;
    Ok(())
}

/// Removes all of it that is there.
pub(super) fn remove() -> Result<()> {
    // Before the first installation there is no nft, and so no wall.
    if on_path("nft").is_some() {
        // Deleting a table that is not there would be an error.
        let none = format!("add table inet {NAME}; delete table inet {NAME}");
        tool("nft", [none]).context("the wall around the link stays")?;
    }
    // It goes with the namespace, but some time later.
    if Path::new("/sys/class/net").join(NAME).exists() {
        tool("ip", ["link", "delete", NAME]).context("the link to the node stays")?;
    }
    if Path::new(NAMESPACE).exists() {
        tool("ip", ["netns", "delete", NAME]).context("the network namespace stays")?;
    }
    Ok(())
}
