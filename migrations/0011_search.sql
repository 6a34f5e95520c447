-- The search for accounts. Apart from what changes the table of accounts: who signs in does not wait until an index of it
-- is made; only who changes an account does.

set local lock_timeout = '3s';

-- What is searched for stands anywhere in a name or a number. PostgreSQL trusts the extension: who may create in the
-- database may have it, without being a superuser.
do $$
begin
    create extension if not exists pg_trgm;
exception
    when insufficient_privilege then
        raise exception 'the role % may not create the extension pg_trgm, which the search for accounts needs: have a superuser say "create extension pg_trgm" in the database %, or "grant create on database"',
            current_user, current_database();
    when undefined_file or feature_not_supported then
        raise exception 'PostgreSQL has no extension pg_trgm, which the search for accounts needs: install what your system calls postgresql-contrib';
end
$$;

-- What is new is found as fast as what is old; names and numbers are written seldom.
create index users_full_name_trigrams on users using gin (full_name gin_trgm_ops) with (fastupdate = off);
create index users_phone_trigrams on users using gin (phone gin_trgm_ops) with (fastupdate = off);
