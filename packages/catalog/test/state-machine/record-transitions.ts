import type { EmbeddedDatabase } from '../embedded-database.ts'

/** A change of state that a database function made; `[*]` is where there is no row, as in the drawing. */
export interface Transition {
  readonly machine: string
  readonly from: string
  readonly to: string
  /** the public function that was called, whatever it called in its turn */
  readonly function: string
}

/** How to read the state of a row, and what else about it makes a transition even if the state stays. */
const MACHINES = [
  {
    machine: 'job',
    table: 'jobs',
    state: `case when r.state = 'running' and r.cancel_requested_at is not null then 'cancelling'
                 when r.state = 'queued' and r.admitted_at is not null then 'admitted' else r.state end`,
    generation: 'r.attempt',
  },
  { machine: 'message', table: 'outbox', state: 'r.status', generation: '0' },
  {
    machine: 'file',
    table: 'files',
    state: `case when r.removed_version is not null then 'removed'
                 when r.quarantine_code is not null then 'quarantined' else 'live' end`,
    generation: '0',
  },
  { machine: 'object', table: 'garbage', state: "'garbage'", generation: '0' },
  { machine: 'upload', table: 'multipart_uploads', state: "'open'", generation: '0' },
  {
    machine: 'alert',
    table: 'alerts',
    state: "case when r.raised_at is null then 'quiet' else 'raised' end",
    generation: '0',
  },
] as const

/**
 * Has the database itself write down each transition, with the function at the foot of the call stack.
 * complete_upload() registers its file by register_upload(), whose name is noted for it.
 * A claim starts an attempt and changes the state as well; an attempt that follows another changes only its number.
 */
export async function recordTransitions(database: EmbeddedDatabase): Promise<void> {
  await database.query('create schema recorder')
  await database.query(`create table recorder.transitions (
    machine text, "from" text, "to" text, function text, primary key (machine, "from", "to", function))`)
  for (const { machine, table, state, generation } of MACHINES) {
    await database.query(`create function recorder.state_of(r public.${table}) returns text
      language sql immutable set search_path = '' as $$ select ${state} $$`)
    await database.query(`create function recorder.generation_of(r public.${table}) returns integer
      language sql immutable set search_path = '' as $$ select ${generation} $$`)
    await database.query(`create function recorder.record_${machine}() returns trigger
      language plpgsql set search_path = '' as $$
      declare
        v_from text := '[*]';
        v_to text := '[*]';
        v_stack text;
      begin
        if tg_op <> 'INSERT' then v_from := recorder.state_of(old); end if;
        if tg_op <> 'DELETE' then v_to := recorder.state_of(new); end if;
        if tg_op = 'UPDATE' then
          if v_from = v_to and recorder.generation_of(old) = recorder.generation_of(new) then return null; end if;
        end if;
        get diagnostics v_stack = pg_context;
        insert into recorder.transitions values ('${machine}', v_from, v_to,
          (select replace((array_agg(call[1] order by position desc))[1], 'complete_upload', 'register_upload')
           from regexp_matches(v_stack, 'function (?:\\w+\\.)?"?(\\w+)[("]', 'g') with ordinality as calls (call, position)))
        on conflict do nothing;
        return null;
      end $$`)
    await database.query(`create trigger recorded after insert or update or delete on public.${table}
      for each row execute function recorder.record_${machine}()`)
  }
}

export function recordedTransitions(database: EmbeddedDatabase): Promise<Transition[]> {
  return database.query<Transition & Record<string, unknown>>('select * from recorder.transitions')
}
