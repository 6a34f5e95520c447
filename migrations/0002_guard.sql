-- What stands between a guess and an account: charges and lockout, the networks an account is known from, one-time
-- tickets, sessions to end at Dex, mail to write.

-- What the guard counts an account's attempts under, whichever of its names was typed. Random, so that the key of an
-- account is as meaningless as that of a name that belongs to nobody.
alter table users add column guard_key bytea not null unique
    default sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

-- Scheme 2: bcrypt of an HMAC of the password with the named pepper, which is not in this database.
alter table credentials drop constraint credentials_scheme_known;
alter table credentials
    add column pepper_id   text,
    -- The password must be changed before it opens anything.
    add column must_change boolean not null default false,
    add constraint credentials_scheme_known check (scheme in (1, 2)),
    add constraint credentials_pepper_of_scheme_2 check ((scheme = 2) = (pepper_id is not null));

-- The highest cost in use is asked for again and again: what a decoy must cost depends on it.
create index credentials_cost on credentials ((substring(password_hash from 5 for 2)) collate "C");

-- The networks from which an account was logged in to. IPv4 /32, IPv6 /64.
create table known_networks (
    user_id         uuid        not null references users (id) on delete cascade,
    network         cidr        not null,
    last_success_at timestamptz not null,
    primary key (user_id, network)
);

-- An attempt that was let in and has not ended.
create type guard_charge as (id uuid, at timestamptz);

-- Failed and pending attempts. One row per account (or name that belongs to nobody) for strangers, whose network is
-- ::/0, and one for each network the account is known from.
create table login_guard (
    guard_key       bytea          not null,
    network         cidr           not null,
    failures        integer        not null default 0,
    last_failure_at timestamptz,
    pending         guard_charge[] not null default '{}',
    last_charge_at  timestamptz    not null,
    primary key (guard_key, network)
);

create index login_guard_last_charge_at on login_guard (last_charge_at);

-- What a row of login_guard means at a moment. A charge that did not end within its life became a failure when that
-- was over: whoever held it crashed, and a crash is no free guess. Failures are forgotten when the last of them is
-- older than the memory; a null memory never forgets.
create function guard_at(
    moment timestamptz, charge_life interval, memory interval,
    inout failures integer, inout last_failure_at timestamptz, inout pending guard_charge[]
) language sql immutable parallel safe as $$
    with charges as (
        select count(*) filter (where at <= moment - charge_life)::integer as expired,
               max(at + charge_life) filter (where at <= moment - charge_life) as expired_at,
               coalesce(array_agg(row(id, at)::guard_charge) filter (where at > moment - charge_life), '{}') as alive
        from unnest(pending)
    ), counted as (
        select failures + expired as failures, greatest(last_failure_at, expired_at) as last_failure_at, alive
        from charges
    )
    select case when counted.last_failure_at <= moment - memory then 0 else counted.failures end,
           case when counted.last_failure_at <= moment - memory then null else counted.last_failure_at end,
           alive
    from counted
$$;

-- A password for one use and one minute, made by the accounts pages so that who just signed up is also signed in.
create table login_tickets (
    -- SHA-256 of the ticket.
    ticket_hash bytea       primary key,
    user_id     uuid        not null references users (id) on delete cascade,
    network     cidr        not null,
    expires_at  timestamptz not null,
    used_at     timestamptz
);

create index login_tickets_expires_at on login_tickets (expires_at);

-- Sessions that are to end at Dex. A row goes when Dex has none left. No foreign key: it outlives the account.
create table revocations (
    id              uuid        primary key,
    user_id         uuid        not null,
    -- Sessions that began later are none of this row's business.
    requested_at    timestamptz not null,
    attempts        integer     not null default 0,
    next_attempt_at timestamptz not null
);

create index revocations_user_id on revocations (user_id);
create index revocations_next_attempt_at on revocations (next_attempt_at);

-- Mail to be written to the owner of an account. No text and no secret: whoever sends it makes them.
create table outbox (
    id         uuid        primary key,
    kind       text        not null,
    user_id    uuid        not null references users (id) on delete cascade,
    created_at timestamptz not null
);

create index outbox_user_id_kind on outbox (user_id, kind, created_at);

-- Whom an attempt was counted for, also when the name belongs to nobody; and how many events a folded row stands for.
alter table audit_events
    add column guard_key bytea,
    add column count     integer not null default 1;

create index audit_events_at on audit_events (at);
