-- What people who are signed in see to: their telephone number, and another e-mail address.

-- Whoever signs in waits behind the locks that follow, so this gives up after 3 s, and nothing is changed then.
set local lock_timeout = '3s';

-- As its owner typed it, in the form of E.164. Nobody has proved it.
alter table users
    add column phone text,
    add constraint users_phone_is_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$');

-- Whose flow it is, if somebody who is signed in began it. No foreign key: who deletes an account would wait for whoever
-- holds such a flow, and that one for the account. The flow of nobody is worth nothing.
alter table account_flows add column user_id uuid;

create index account_flows_user_id on account_flows (user_id) where user_id is not null;
create index account_flows_email_key on account_flows (email_key);

-- The addresses that accounts had, for whoever reads their mail to have the account back within a week. Of an account there
-- are as many as it changed its address in that time.
create table address_undos (
    id         uuid        primary key,
    user_id    uuid        not null references users (id) on delete cascade,
    email      text        not null,
    email_key  text        not null,
    -- SHA-256 of the code, which is computed from the id and the key of codes: 130 bits, so that it is no help to
    -- whoever reads it. It is looked up by this.
    code_hash  bytea       not null unique,
    changed_at timestamptz not null,
    expires_at timestamptz not null
);

create index address_undos_user_id on address_undos (user_id);
create index address_undos_expires_at on address_undos (expires_at);
