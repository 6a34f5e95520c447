-- Mail that goes somewhere else than to the address that its account has when it is sent: the notice of a new address
-- goes to the old one.
alter table due_work add column address text;
