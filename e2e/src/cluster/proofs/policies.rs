//! Who may reach whom, by what the API server has of the policies.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cluster::kube;
use crate::cluster::stage::Stage;

/// From whom, to whom, at which port.
type Way<'a> = (&'a str, &'a str, u64);

/// Everybody, in the cluster and outside of it.
const ANYBODY: &str = "*";
/// All ports: of a rule that names none.
const ANY_PORT: u64 = 0;
/// The servers beside the cluster.
const STORES: &str = "198.18.0.1/32";

/// Every way that there is, names of hosts aside.
const WAYS: [Way<'_>; 19] = [
    (ANYBODY, "auth-connector", 5559),
    (ANYBODY, "chat-api", 8080),
    (ANYBODY, "dex", 5556),
    ("auth-connector", "dex", 5556),
    ("auth-connector", "dex", 5560),
    ("auth-connector", STORES, 1025),
    ("auth-connector", STORES, 5432),
    ("chat-api", "dex", 5556),
    ("chat-api", STORES, 9092),
    ("chat-api", STORES, 27017),
    ("dex", "auth-connector", 5557),
    ("dex", STORES, 5432),
    ("migrate", STORES, 5432),
    ("prepare", ANYBODY, 443),
    ("prepare", ANYBODY, 6443),
    ("seed-users", STORES, 5432),
    ("test", "chat-api", 8080),
    ("test", "dex", 5556),
    ("topics", STORES, 9092),
];

/// The plugin that connects pods here does not enforce them: what is tested is that the API server takes them, that
/// pods without a policy of their own get the one that denies, and what they say.
pub(super) async fn policies(stage: &mut Stage) -> Result<()> {
    let policies = kube::list(&stage.cluster, "networkpolicies").await?;
    let (default, own): (Vec<&Value>, Vec<&Value>) =
        policies.iter().partition(|policy| kube::name(policy) == "default-deny");
    let default = default.first().context("there is no default-deny")?;
    let names =
        json!([{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}]);
    let denies = json!({
        "podSelector": {"matchLabels": {"app.kubernetes.io/instance": "chatapp"}},
        "policyTypes": ["Ingress", "Egress"], "egress": names,
    });
    ensure!(default["spec"] == denies, "default-deny is {}", default["spec"]);
    for pod in kube::list(&stage.cluster, "pods").await? {
        let instance = &pod["metadata"]["labels"]["app.kubernetes.io/instance"];
        ensure!(*instance == "chatapp", "{} is not held", kube::name(&pod));
    }

    let (mut ours, mut outwards, mut inwards) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for policy in own {
        let spec = &policy["spec"];
        let here = selected(&spec["podSelector"]);
        for (peer, port) in allowed(&spec["egress"], "to")? {
            outwards.insert((here.clone(), peer, port));
        }
        for (peer, port) in allowed(&spec["ingress"], "from")? {
            inwards.insert((peer, here.clone(), port));
        }
        ours.insert(here);
    }
    // A way is what both ends allow; whoever is not of the chart allows everything.
    let may_send = |(from, to, port): Way<'_>| {
        !ours.contains(from)
            || with_any(to, port).any(|(to, port)| outwards.contains(&(from.into(), to, port)))
    };
    let may_hear = |(from, to, port): Way<'_>| {
        !ours.contains(to)
            || with_any(from, port).any(|(from, port)| inwards.contains(&(from, to.into(), port)))
    };
    let ways: BTreeSet<Way<'_>> = outwards
        .union(&inwards)
        .map(|(from, to, port)| (from.as_str(), to.as_str(), *port))
        .filter(|way| may_send(*way) && may_hear(*way))
        .collect();
    let promised: BTreeSet<Way<'_>> = WAYS.into();
    let more: Vec<_> = ways.difference(&promised).collect();
    let less: Vec<_> = promised.difference(&ways).collect();
    ensure!(more.is_empty() && less.is_empty(), "not promised: {more:?}; missing: {less:?}");
    Ok(())
}

/// What a rule may say to allow it.
fn with_any(peer: &str, port: u64) -> impl Iterator<Item = (String, u64)> {
    let of = |peer: &str| [(peer.to_owned(), port), (peer.to_owned(), ANY_PORT)];
    of(peer).into_iter().chain(of(ANYBODY))
}

/// The peers and ports of rules. None of either, or an empty list, means all.
fn allowed(rules: &Value, peers: &str) -> Result<Vec<(String, u64)>> {
    let items = |list: &Value| list.as_array().filter(|list| !list.is_empty()).cloned();
    let mut found = Vec::new();
    for rule in rules.as_array().into_iter().flatten() {
        let names = items(&rule[peers])
            .map_or(vec![ANYBODY.to_owned()], |peers| peers.iter().map(peer).collect());
        let ports = match items(&rule["ports"]) {
            None => vec![ANY_PORT],
            Some(ports) => ports.iter().map(port).collect::<Result<_>>()?,
        };
        for name in names {
            found.extend(ports.iter().map(|port| (name.clone(), *port)));
        }
    }
    Ok(found)
}

fn port(port: &Value) -> Result<u64> {
    ensure!(port["protocol"] == "TCP" && port["endPort"].is_null(), "{port} is no port of TCP");
    port["port"].as_u64().with_context(|| format!("{port} has no number"))
}

/// A block of addresses, a component of the chart by its name, or whoever else as it is written.
fn peer(peer: &Value) -> String {
    match (&peer["ipBlock"]["cidr"], &peer["namespaceSelector"]) {
        (Value::String(cidr), _) if peer["ipBlock"]["except"].is_null() => cidr.clone(),
        (Value::Null, Value::Null) => selected(&peer["podSelector"]),
        _ => peer.to_string(),
    }
}

fn selected(selector: &Value) -> String {
    let name = &selector["matchLabels"]["app.kubernetes.io/name"];
    let component = json!({"matchLabels": {
        "app.kubernetes.io/name": name, "app.kubernetes.io/instance": "chatapp",
    }});
    match name.as_str() {
        Some(name) if *selector == component => name.to_owned(),
        _ => selector.to_string(),
    }
}
