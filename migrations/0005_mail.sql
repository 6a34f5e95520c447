-- Whoever signs in waits behind the lock that follows, so this gives up after 3 s, and nothing is changed then.
set local lock_timeout = '3s';

-- Mail that goes somewhere else than to the address that its account has when it is sent: the notice of a new address
-- goes to the old one.
alter table due_work add column address text;
