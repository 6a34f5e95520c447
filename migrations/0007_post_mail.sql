-- Has mail written to the owner of an account who has an address, unless mail of its kind is enough for a while; null: each
-- cause has its own. A function, so that what causes mail can be one statement with it: settling an attempt in several
-- would take a slow database longer than a charge lives.
create function post_mail(
    mail_kind text, account uuid, mail_id uuid, caused_at timestamptz, life interval, enough_for interval
) returns void language sql as $$
    insert into due_work as earlier (id, kind, user_id, unique_key, created_at, due_at, expires_at)
    select mail_id, mail_kind, users.id, case when enough_for is not null then users.id::text end,
           caused_at, caused_at, caused_at + life
    from users where users.id = account and users.email is not null
    on conflict (kind, unique_key) do update
    set id = excluded.id, created_at = excluded.created_at, due_at = excluded.due_at,
        expires_at = excluded.expires_at, finished_at = null, failures = 0
    where earlier.expires_at <= excluded.created_at
       or earlier.finished_at is not null and earlier.created_at <= excluded.created_at - enough_for
$$;
