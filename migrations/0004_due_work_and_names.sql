-- What is to be done later in one table, and accounts without a user name.

-- Work that somebody is to do later. Whoever claims a row moves `due_at` to the end of the claim; then the row is
-- postponed or finished. What has an end and was not finished by then is dead: nobody claims it any more.
create table due_work (
    id          uuid        primary key,
    -- The names are those of `due.rs`.
    kind        text        not null,
    -- Whom it is about; null for somebody without an account. No foreign key: ending sessions outlives the account.
    user_id     uuid,
    -- Of one kind there is one row with the same key; null: as many as are asked for.
    unique_key  text,
    created_at  timestamptz not null,
    due_at      timestamptz not null,
    -- Null: it is tried until it is done.
    expires_at  timestamptz,
    finished_at timestamptz,
    -- How often it was tried in vain.
    failures    integer     not null default 0,
    constraint due_work_revocation_has_account check (kind <> 'revocation' or user_id is not null)
);

create unique index due_work_unique_key on due_work (kind, unique_key);
create index due_work_user_id on due_work (user_id) where finished_at is null;
create index due_work_due_at on due_work (due_at) where finished_at is null;
-- For the sweep.
create index due_work_over on due_work ((coalesce(expires_at, finished_at)));

-- The release before may still run. What it has under way ends first: a request to end sessions that came between the
-- copy and the drop would be lost. The tables are locked in the order in which most statements take them, or each side
-- would wait for the other. Whoever signs in waits behind this, so it gives up after 3 s, and nothing is changed then;
-- autovacuum makes room after one.
set local lock_timeout = '3s';
lock table users, revocations, outbox in access exclusive mode;

insert into due_work (id, kind, user_id, created_at, due_at, failures)
select id, 'revocation', user_id, requested_at, next_attempt_at, attempts from revocations;

drop table revocations;

-- Nothing ever sent what is in it, and a notice of long ago tells nobody anything.
drop table outbox;

-- Who makes an account for themselves has an address and no user name.
alter table users
    alter column username drop not null,
    alter column username_key drop not null,
    add constraint users_username_with_key check ((username is null) = (username_key is null)),
    add constraint users_has_name check (username_key is not null or email_key is not null);

-- The order in which accounts are listed.
create index users_name_key on users ((coalesce(username_key, email_key)));
