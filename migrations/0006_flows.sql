-- What people who are not signed in want for an address, until a code that was mailed there proves that they read its
-- mail. A row also for addresses that nobody has an account with: nothing else must tell them apart.
create table account_flows (
    id                uuid        primary key,
    -- SHA-256 of what the browser has; another one from the moment on that the flow is worth something.
    token_hash        bytea       not null unique,
    -- The names are those of `flow.rs`.
    purpose           text        not null,
    email             text        not null,
    email_key         text        not null,
    language          text        not null,
    -- The number of the code that counts. The code itself is nowhere: it is computed from flow, number and a key that is
    -- not in this database. 0: none was mailed yet.
    code              integer     not null,
    -- When the mail server took it; null: not yet, as far as we know.
    code_sent_at      timestamptz,
    -- How often that code was tried, whether or not it was right.
    tries             smallint    not null default 0,
    proved_at         timestamptz,
    expires_at        timestamptz not null
);

create index account_flows_expires_at on account_flows (expires_at);

-- When an inbox got mail with a code within the last day, for strangers and for those who asked from a network that the
-- account is known from. Ten times at most.
create table mail_budgets (
    -- A keyed code of the address, without what follows a `+`.
    inbox        bytea         not null,
    known        boolean       not null,
    sent         timestamptz[] not null,
    last_sent_at timestamptz   not null,
    primary key (inbox, known)
);

create index mail_budgets_last_sent_at on mail_budgets (last_sent_at);

-- Whoever signs in waits behind the locks that follow, so this gives up after 3 s, and nothing is changed then.
set local lock_timeout = '3s';

-- Mail with a code is about a flow. Its code is not here, either.
alter table due_work
    add column flow_id uuid,
    add column code    integer;

create index due_work_flow_id on due_work (flow_id) where finished_at is null;

-- When sessions were last ended: what was signed in up to that second is worth nothing.
alter table users add column sessions_ended_at timestamptz;
