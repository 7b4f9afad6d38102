-- What a job has many of (answers, failures, verdicts, calls) is folded where it lies, a stretch of the log at a time:
-- nothing of it travels to the gateway and back. services.gateway.views.projector calls this between the other events,
-- in the order of the log.
--
-- Within a stretch an entry is generated before it is judged, and judged before it is admitted, so the kinds may be
-- folded one after the other; of two verdicts on one entry the later stands. `jsonb` is read as the contracts write it;
-- the kinds of events are given by their names.
create function fold_many(
    after bigint, through bigint, generated text, curated text, admitted text, failed text, call text
) returns void language plpgsql
-- One plan each for good, made while the tables are empty, which without this would read whole tables. ("offset 0" has
-- a large event opened once, not for each row of it, and entries looked up by their ids; "is not distinct from" keeps
-- the planner from an index on datasets, which seems as good as any while there is one dataset.)
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
    kinds text[];
begin
    kinds := array(
        select distinct type from ledger.events
        where log_id = 1 and pos > after and pos <= through
          and type in (generated, curated, admitted, failed, call)
    );
    if generated = any(kinds) then
        insert into units (unit_id, dataset_id, pos, seed, round, sample, document_id, chunk_id, entries,
            nothing_because, body_id, call_id, model, prompt, parameters, response_key, usage)
        select d.unit_id, d.dataset_id, e.pos, d.seed, d.round, d.sample, d.document_id, d.chunk_id,
            jsonb_array_length(d.entries), d.nothing_because, d.body, d.call, d.model, d.prompt, d.parameters,
            d.response_key, d.usage
        from ledger.events e, jsonb_to_record(e.data) as d (unit_id uuid, dataset_id uuid, seed int, round int,
            sample int, document_id uuid, chunk_id uuid, entries jsonb, nothing_because text, body uuid, call uuid,
            model text, prompt jsonb, parameters jsonb, response_key text, usage jsonb)
        where e.log_id = 1 and e.pos > after and e.pos <= through and e.type = generated
        on conflict do nothing;

        insert into entries (entry_id, dataset_id, unit_id, seed, n, type, status, difficulty)
        select (x.entry ->> 'entry_id')::uuid, (e.data ->> 'dataset_id')::uuid, (e.data ->> 'unit_id')::uuid,
            (e.data ->> 'seed')::int, x.n - 1, x.entry ->> 'type', 'generated', x.entry ->> 'difficulty'
        from ledger.events e, jsonb_array_elements(e.data -> 'entries') with ordinality as x (entry, n)
        where e.log_id = 1 and e.pos > after and e.pos <= through and e.type = generated
        on conflict do nothing;
    end if;

    if failed = any(kinds) then
        insert into failures (unit_id, job_id, pos, code, message, fatal, command, call_id)
        select (e.data ->> 'unit_id')::uuid, coalesce(e.job_id, e.stream_id), e.pos, e.data ->> 'code',
            e.data ->> 'message', coalesce((e.data ->> 'fatal')::boolean, false), e.data ->> 'command',
            (e.data ->> 'call')::uuid
        from ledger.events e
        where e.log_id = 1 and e.pos > after and e.pos <= through and e.type = failed
        on conflict do nothing;

        -- Only units that are seeds count, and what a cancellation kept from being asked did not fail.
        update datasets d set failed = d.failed + s.units, updated_at = greatest(d.updated_at, s.at)
        from (
            select coalesce(job_id, stream_id) as job, count(*) as units, max(recorded_at) as at
            from ledger.events
            where log_id = 1 and pos > after and pos <= through and type = failed
              and data ->> 'command' = 'gristmill.entries.generate.v1' and data ->> 'code' <> 'cancelled'
            group by 1
        ) s
        where d.job_id = s.job;
    end if;

    if curated = any(kinds) then
        update entries t set
            status = case when v.passed then 'curated' else 'rejected' end,
            reason = case when v.passed then null else v.verdict -> 'found' -> 0 ->> 'reason' end,
            found = nullif(v.verdict -> 'found', '[]'),
            quality = (v.verdict ->> 'quality')::float8,
            category = v.verdict ->> 'category',
            kind = v.verdict ->> 'kind',
            difficulty = v.verdict ->> 'difficulty',
            verdict_pos = v.pos
        from (
            select distinct on (entry, e.dataset) (x.verdict ->> 'entry_id')::uuid as entry, e.dataset, e.pos,
                x.verdict, (x.verdict ->> 'passed')::boolean as passed
            from (
                select pos, (data ->> 'dataset_id')::uuid as dataset, data -> 'verdicts' as verdicts
                from ledger.events
                where log_id = 1 and pos > after and pos <= through and type = curated offset 0
            ) e, jsonb_array_elements(e.verdicts) as x (verdict)
            order by entry, e.dataset, e.pos desc
        ) v
        where t.entry_id = v.entry and t.dataset_id is not distinct from v.dataset;
    end if;

    if admitted = any(kinds) then
        update entries t set status = v.status, admitted_pos = v.pos
        from (
            select x.entry::uuid as entry, e.dataset, e.status, e.pos
            from (
                select pos, (data ->> 'dataset_id')::uuid as dataset, kind.status, data -> kind.status as ids
                from ledger.events, (values ('accepted'), ('surplus')) as kind (status)
                where log_id = 1 and pos > after and pos <= through and type = admitted offset 0
            ) e, jsonb_array_elements_text(e.ids) as x (entry)
            offset 0
        ) v
        where t.entry_id = v.entry and t.dataset_id is not distinct from v.dataset;

        update entries t set status = 'rejected', reason = 'duplicate', admitted_pos = v.pos,
            found = jsonb_build_array(jsonb_build_object('reason', 'duplicate', 'detail', v.why))
        from (
            select (x.one ->> 'entry_id')::uuid as entry, e.dataset, e.pos, format('%s %s (similarity %s)',
                case x.one ->> 'rule'
                    when 'question' then 'the same question as'
                    when 'near_question' then 'nearly the same question as'
                    when 'same_fact' then 'the same fact as'
                end,
                x.one ->> 'of', round((x.one ->> 'similarity')::numeric, 2)) as why
            from (
                select pos, (data ->> 'dataset_id')::uuid as dataset, data -> 'duplicates' as duplicates
                from ledger.events
                where log_id = 1 and pos > after and pos <= through and type = admitted offset 0
            ) e, jsonb_array_elements(e.duplicates) as x (one)
            offset 0
        ) v
        where t.entry_id = v.entry and t.dataset_id is not distinct from v.dataset;
    end if;

    if kinds && array[generated, curated, admitted] then
        update datasets d set done = d.done + s.done, generated = d.generated + s.generated,
            accepted = d.accepted + s.accepted, rejected = d.rejected + s.rejected,
            surplus = d.surplus + s.surplus, updated_at = greatest(d.updated_at, s.at)
        from (
            select (data ->> 'dataset_id')::uuid as dataset, max(recorded_at) as at,
                count(*) filter (where type = generated) as done,
                coalesce(sum(jsonb_array_length(data -> 'entries')) filter (where type = generated), 0) as generated,
                coalesce(sum(jsonb_array_length(data -> 'accepted')) filter (where type = admitted), 0) as accepted,
                coalesce(sum(jsonb_array_length(data -> 'surplus')) filter (where type = admitted), 0) as surplus,
                coalesce(sum(jsonb_array_length(data -> 'duplicates')) filter (where type = admitted), 0)
                + coalesce(sum(jsonb_array_length(jsonb_path_query_array(data, '$.verdicts[*] ? (@.passed == false)')))
                    filter (where type = curated), 0) as rejected
            from ledger.events
            where log_id = 1 and pos > after and pos <= through and type in (generated, curated, admitted)
            group by 1
        ) s
        where d.dataset_id = s.dataset;
    end if;

    update jobs j set calls = j.calls + s.calls, calls_failed = j.calls_failed + s.failed,
        prompt_tokens = j.prompt_tokens + s.prompt, completion_tokens = j.completion_tokens + s.completion,
        cached_tokens = j.cached_tokens + s.cached, cost = j.cost + s.cost,
        updated_at = greatest(j.updated_at, s.at)
    from (
        select coalesce(job_id, stream_id) as job, max(recorded_at) as at,
            count(*) filter (where type = call) as calls,
            count(*) filter (where type = call and data ->> 'outcome' <> 'ok') as failed,
            coalesce(sum((data ->> 'prompt_tokens')::bigint) filter (where type = call), 0) as prompt,
            coalesce(sum((data ->> 'completion_tokens')::bigint) filter (where type = call), 0) as completion,
            coalesce(sum((data ->> 'cached_tokens')::bigint) filter (where type = call), 0) as cached,
            coalesce(sum((data ->> 'cost')::bigint) filter (where type = call), 0) as cost
        from ledger.events
        where log_id = 1 and pos > after and pos <= through
          and type in (generated, curated, admitted, failed, call)
        group by 1
    ) s
    where j.job_id = s.job;
end $$;
