-- compatible_from: 1
-- The journal: which model calls were answered, by their content address, and where the answer lies.

create table ledger.journal (
    tenant   text not null,
    key      bytea not null, -- sha256 of the call
    body_id  uuid not null,  -- a CallBody, whose exchange ...
    exchange int not null,   -- ... of this number holds the answer
    primary key (tenant, key)
);
grant select, insert on ledger.journal to ledger;
