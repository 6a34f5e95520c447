//! Lines of the audit trail in columns, for people.

use service_process::output::{Columns, time};

use crate::store::Line;

/// Shows lines under their heading.
pub(super) fn table(lines: &[Line]) -> std::io::Result<Columns> {
    let heading = ["TIME", "EVENT", "REASON", "ACCOUNT", "ADDRESS", "COUNT", "REQUEST"];
    Columns::begin(&heading, &lines.iter().map(row).collect::<Vec<_>>())
}

/// The cells of a line.
pub(super) fn row(line: &Line) -> Vec<String> {
    let account = line.username.clone().or_else(|| line.user_id.map(|id| id.to_string()));
    vec![
        time(line.at),
        line.event.clone(),
        line.reason.clone().unwrap_or_default(),
        account.unwrap_or_default(),
        line.remote_ip.clone().unwrap_or_default(),
        line.count.to_string(),
        line.request_id.clone(),
    ]
}
