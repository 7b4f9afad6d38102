-- The gateway's views, folded from the log by services.gateway.views.projector. Nothing here is a fact of its own:
-- the whole schema can be dropped and folded anew from position 0. It is named after what it is made by (see
-- services.gateway.views.versions), so no name here says its schema: the connection's search_path does.

-- `built_at` is set when the fold has first come to the head of the log; `used_at` is renewed by the gateway that
-- folds, so that a schema of another version can be told from one that nobody serves any more.
create table made (
    fingerprint text not null,
    built_at    timestamptz,
    used_at     timestamptz not null default clock_timestamp()
);

-- How far the log is folded. Changed in the transaction that writes the rows, and only from the value that the
-- writer last saw, so a leader that was stopped and replaced cannot write stale rows.
create table checkpoint (
    one boolean primary key default true check (one),
    era int not null,
    pos bigint not null
);
insert into checkpoint values (true, 1, 0);

create table projects (
    project_id  uuid primary key,
    tenant      text not null,
    alias       int not null,
    name        text not null,
    description text not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    unique (tenant, alias)
);

create table documents (
    document_id uuid primary key,
    tenant      text not null,
    project_id  uuid not null,
    pos         bigint not null,
    name        text not null,
    blob        jsonb not null,
    status      text not null,
    title       text,
    source_url  text,
    published   text,
    language    text,
    pages       int,
    characters  int,
    words       int,
    parser      text,
    body        jsonb,
    structure   jsonb,
    chunking    text,
    chunks      int,
    code        text,
    message     text,
    created_at  timestamptz not null,
    updated_at  timestamptz not null
);
create index documents_of_project on documents (project_id, pos);
create index documents_unprocessed on documents (tenant) where status = 'uploaded';
create index documents_rejected on documents (project_id, pos) where status = 'rejected';

-- What came of cutting a document: its parts with their pages, as DocumentDivided says them.
create table splits (
    job_id      uuid primary key,
    document_id uuid not null,
    pages       int not null,
    parts       jsonb not null,
    manifest    jsonb not null
);

create table document_names (
    document_id uuid not null,
    name        text not null,
    primary key (document_id, name)
);

-- `cut` is how many chunks were cut, `chunks` how many were not deleted since.
create table document_chunkings (
    document_id uuid not null,
    chunking    text not null,
    chunks      int not null,
    cut         int not null,
    chunk_table jsonb not null,
    primary key (document_id, chunking)
);

create table jobs (
    job_id            uuid primary key,
    tenant            text not null,
    pos               bigint not null,
    kind              text not null,
    project_id        uuid,
    dataset_id        uuid,
    all_documents     boolean not null,
    chunking          text,
    format            text,
    status            text not null,
    cancelling        boolean not null,
    pausing           boolean not null,
    waiting_for       text,
    waiting_reason    text,
    documents         int not null,
    calls             int not null,
    calls_failed      int not null,
    prompt_tokens     bigint not null,
    completion_tokens bigint not null,
    cached_tokens     bigint not null,
    cost              bigint not null,
    code              text,
    message           text,
    created_at        timestamptz not null,
    started_at        timestamptz,
    completed_at      timestamptz,
    updated_at        timestamptz not null,
    restarted         bigint -- position of the newest restart
) with (fillfactor = 50);
create index jobs_in_order on jobs (tenant, pos);
create index jobs_of_dataset on jobs (dataset_id);

create table job_documents (
    job_id      uuid not null,
    document_id uuid not null,
    primary key (job_id, document_id)
);

-- Which documents a job works on: those it names, or all that its project had when it was asked for.
create view documents_of_jobs as
    select job_id, document_id from job_documents
    union all
    select j.job_id, d.document_id
    from jobs j join documents d on d.project_id = j.project_id and d.pos < j.pos
    where j.all_documents;

create table datasets (
    dataset_id uuid primary key,
    tenant     text not null,
    project_id uuid not null,
    job_id     uuid not null,
    pos        bigint not null,
    name       text,
    mode       text not null,
    model      text not null,
    format     text not null,
    batch_size int not null,
    wanted     int,
    settings   jsonb not null,
    rounds     int not null,
    chunks     int not null,
    seeds      int not null,
    asked      int not null,
    done       int not null,
    failed     int not null,
    generated  int not null,
    accepted   int not null,
    rejected   int not null,
    surplus    int not null,
    skipped    jsonb not null,
    closing    jsonb,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    reopened_at timestamptz -- by a restart: files from before are of another dataset
) with (fillfactor = 50);
create index datasets_of_project on datasets (project_id, pos);
create index datasets_of_job on datasets (job_id);

create table plans (
    job_id uuid not null,
    first  int not null,
    seeds  int not null,
    round  int not null,
    plan   jsonb not null,
    primary key (job_id, first)
);

-- A fork has its parent's units and entries too, as they were when it was forked.
create table units (
    unit_id         uuid not null,
    dataset_id      uuid not null,
    pos             bigint not null,
    seed            int not null,
    round           int not null,
    sample          int not null,
    document_id     uuid not null,
    chunk_id        uuid not null,
    entries         int not null,
    nothing_because text,
    body_id         uuid not null,
    call_id         uuid not null,
    model           text not null,
    prompt          jsonb not null,
    parameters      jsonb not null,
    response_key    text not null,
    usage           jsonb not null,
    primary key (unit_id, dataset_id)
);

create table failures (
    unit_id uuid primary key,
    job_id  uuid not null,
    pos     bigint not null,
    code    text not null,
    message text not null,
    fatal   boolean not null,
    command text not null,
    call_id uuid
);
create index failures_of_job on failures (job_id, pos);

-- `status` is in no index and pages keep room, so the two verdicts that follow an entry's birth rewrite its row in
-- place and touch no index.
create table entries (
    entry_id    uuid not null,
    dataset_id  uuid not null,
    unit_id     uuid not null,
    seed        int not null,
    n           int not null,
    type        text not null,
    status      text not null,
    reason      text,
    found       jsonb,
    quality     double precision,
    category    text,
    difficulty  text,
    kind        text,
    verdict_pos bigint,
    admitted_pos bigint,
    primary key (entry_id, dataset_id)
) with (fillfactor = 70);
create index entries_in_order on entries (dataset_id, seed, n);

create table exports (
    dataset_id uuid not null,
    format     text not null,
    batch_size int not null,
    job_id     uuid,
    head       int not null,
    files      jsonb not null,
    entries    int not null,
    output_dir text,         -- the folder that was asked for
    not_laid   jsonb,        -- why the files do not lie there: code and message
    created_at timestamptz not null,
    primary key (dataset_id, format, batch_size)
);
