-- Whoever signs in with a ticket waits behind the locks that follow, so this gives up after 3 s, and nothing is changed then.
set local lock_timeout = '3s';

-- Where a flow leads back to, as the query of its first page; null: nowhere.
alter table account_flows add column hand_back text;

-- Of which flow a ticket is, and where that leads back to: for who sends its last page twice. SHA-256 of what the browser
-- has, as in account_flows.
alter table login_tickets
    add column flow_hash bytea unique,
    add column hand_back text;
