-- Accounts, their credentials and groups, and the audit trail.

-- An account. `id` is the stable subject: never reused, never changed.
-- The *_key columns hold the name normaliser's output and are what a login name is looked up by.
create table users (
    id             uuid        primary key,
    username       text        not null,
    username_key   text        not null unique,
    email          text,
    email_key      text        unique,
    email_verified boolean     not null default false,
    full_name      text        not null default '',
    is_active      boolean     not null default true,
    -- Raised whenever earlier logins must not go on. Dex hands it back at every refresh.
    auth_epoch     bigint      not null default 0,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    -- One lookup serves both columns because a user name never looks like an address.
    constraint users_username_has_no_at check (position('@' in username_key) = 0),
    constraint users_email_key_has_at check (position('@' in email_key) > 0),
    constraint users_email_with_key check ((email is null) = (email_key is null))
);

-- How an account proves itself. Apart from `users`, so that no other query can read a hash.
create table credentials (
    user_id       uuid        primary key references users (id) on delete cascade,
    -- 1: bcrypt of the password itself, cost 10 to 12.
    scheme        smallint    not null,
    password_hash text        not null,
    set_at        timestamptz not null default now(),
    constraint credentials_scheme_known check (scheme in (1))
);

create table user_groups (
    user_id    uuid not null references users (id) on delete cascade,
    group_name text not null,
    primary key (user_id, group_name),
    constraint user_groups_name_not_empty check (group_name <> '')
);

-- What happened, for those who must answer for it. Rows are only ever added.
-- No foreign key: the trail outlives the account. No typed name: people type passwords there.
create table audit_events (
    id           uuid        not null,
    at           timestamptz not null,
    event        text        not null,
    -- Why an attempt was refused; null when it was not.
    reason       text,
    user_id      uuid,
    connector_id text        not null,
    remote_ip    inet,
    request_id   text        not null,
    primary key (id, at)
) partition by range (at);

-- Catches every time that no other partition holds.
create table audit_events_default partition of audit_events default;

create index audit_events_user_id_at on audit_events (user_id, at);
