-- Who is invited to make an account: whoever shows the code that was mailed to the address. One for each address, until
-- its account is made.
create table invitations (
    id          uuid        primary key,
    email       text        not null,
    email_key   text        not null unique,
    -- SHA-256 of the code, which is computed from the id and the key of codes: 130 bits, so that it is no help to
    -- whoever reads it. It is looked up by this.
    code_hash   bytea       not null unique,
    language    text        not null,
    expires_at  timestamptz not null
);

create index invitations_expires_at on invitations (expires_at);
