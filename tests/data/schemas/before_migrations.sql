-- The ledger's schema: the log, the bodies, the work in flight. Applied by shared.store.migrate as the database's
-- administrator. Nobody may update or delete events: what happened stays.

create schema ledger;

create table ledger.schema_version (version int not null);
insert into ledger.schema_version values (1);

-- One row a log. Its lock is the log's lock: positions are drawn from `head` while it is held, so the order of
-- positions is the order of commits, and a rolled back transaction leaves no hole.
create table ledger.logs (
    log_id smallint primary key,
    era    int not null,
    head   bigint not null
);
insert into ledger.logs values (1, 1, 0);

create table ledger.events (
    log_id      smallint not null default 1,
    pos         bigint not null,
    era         int not null,
    stream_id   uuid not null,
    version     int not null,
    event_id    uuid not null,
    type        text not null,
    tenant      text not null,
    job_id      uuid,
    cause_id    uuid,
    trace       text,
    data        jsonb not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (log_id, pos),
    constraint events_version unique (stream_id, version),
    constraint events_once unique (event_id)
);

-- The newest version of each stream, and the state that its process folded from it (at most 2 KB).
create table ledger.streams (
    stream_id  uuid primary key,
    tenant     text not null,
    kind       text not null,
    project_id uuid,
    version    int not null,
    open       boolean not null default false,
    state      jsonb
);
create index streams_of_project on ledger.streams (project_id) where project_id is not null;
create index streams_open on ledger.streams (stream_id) where open;

create table ledger.bodies (
    body_id uuid primary key,
    kind    text not null,
    data    bytea not null
);
create table ledger.body_sources (
    document_id uuid not null,
    body_id     uuid not null,
    primary key (document_id, body_id)
);

create table ledger.projects (
    tenant     text not null,
    project_id uuid not null,
    alias      int not null,
    name       text not null,
    description text not null,
    primary key (project_id),
    unique (tenant, alias),
    unique (tenant, name)
);

-- The idempotency key of a request, for ever: what was asked (as a hash) and what was answered.
create table ledger.requests (
    tenant     text not null,
    source     text not null,
    request_id text not null,
    hash       bytea not null,
    answer     jsonb not null,
    primary key (tenant, source, request_id)
);

-- Jobs that wait for documents.
create table ledger.interests (
    job_id    uuid not null,
    stream_id uuid not null,
    settled   boolean not null default false,
    primary key (job_id, stream_id)
);
create index interests_of_stream on ledger.interests (stream_id) where not settled;

-- A command that was issued; `published` turns true when the bus has its newest attempt.
create table ledger.commands (
    command_id uuid primary key,
    seq        bigint generated always as identity,
    job_id     uuid not null,
    tenant     text not null,
    service    text not null,
    type       text not null,
    attempt    int not null,
    trace      text,
    data       jsonb not null,
    units      uuid[], -- of these only; null: of all
    published  boolean not null default false
);
create index commands_due on ledger.commands (seq) where not published;
create index commands_of_job on ledger.commands (job_id);

-- One row a unit in flight. The first outcome recorded wins; the row goes when its job ends.
create table ledger.work (
    unit_id    uuid primary key,
    job_id     uuid not null,
    tenant     text not null,
    service    text not null,
    command_id uuid not null,
    attempt    int not null,
    lost       int not null default 0, -- times that its worker fell silent
    deferred   int not null default 0, -- times that it was put off
    outcome    uuid,
    issued_at  timestamptz not null default clock_timestamp(),
    due_at     timestamptz
);
create index work_of_job on ledger.work (job_id);
create index work_open on ledger.work (service, issued_at) where outcome is null;

create table ledger.leader (
    one        boolean primary key default true check (one),
    epoch      bigint not null,
    holder     text not null,
    expires_at timestamptz not null
);
insert into ledger.leader values (true, 0, '', '-infinity');

create table ledger.checkpoints (
    name text primary key,
    pos  bigint not null
);
insert into ledger.checkpoints values ('relay', 0);

-- Least privilege: the ledger writes and never rewrites the log; the others read.
grant usage on schema ledger to ledger, reader, gateway;
grant select, insert on all tables in schema ledger to ledger;
grant update on ledger.logs, ledger.streams, ledger.projects, ledger.interests, ledger.commands,
    ledger.work, ledger.leader, ledger.checkpoints to ledger;
grant delete on ledger.commands, ledger.work, ledger.interests to ledger;
grant usage on all sequences in schema ledger to ledger;
grant select on ledger.schema_version, ledger.logs, ledger.events, ledger.streams, ledger.bodies,
    ledger.body_sources to reader, gateway;
