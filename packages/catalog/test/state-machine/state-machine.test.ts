import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ownDatabase } from '../own-database.ts'
import { readDrawnMachines } from './drawn-machines.ts'
import { RandomWalk } from './random-walk.ts'
import { recordedTransitions, recordTransitions, type Transition } from './record-transitions.ts'

const DOCUMENT = join(import.meta.dirname, '../../../../docs/state-machine.md')
const SEED = 4
/** Calls between two looks at what is new. */
const LEG_CALLS = 100
/** The walk ends when so many legs in a row have shown nothing new, and all that is drawn … */
const LEGS_WITHOUT_NEWS = 5
/** … or when it has long shown nothing new: what is drawn and was not seen by then does not happen. */
const LEGS_WITHOUT_HOPE = 120
/** A bound for a machine under load, not an expectation. */
const WALK_MS = 1_800_000

const database = await ownDatabase()
const drawn = readDrawnMachines(readFileSync(DOCUMENT, 'utf8'))
let seen: Transition[] = []

const arrows = (transitions: readonly Pick<Transition, 'from' | 'to'>[]) =>
  transitions.map(({ from, to }) => `${from} --> ${to}`).sort()
const sentence = ({ machine, from, to, function: name }: Transition) => `${machine}: ${from} --> ${to} by ${name}`

const walk = new RandomWalk(database, SEED)

beforeAll(async () => {
  await recordTransitions(database)
  await walk.begin()
  const missing = new Set(drawn.flatMap(({ rows }) => rows.map(sentence)))
  for (let quiet = 0; quiet < (missing.size === 0 ? LEGS_WITHOUT_NEWS : LEGS_WITHOUT_HOPE); quiet++) {
    for (let call = 0; call < LEG_CALLS; call++) await walk.step()
    const now = await recordedTransitions(database)
    if (now.length > seen.length) quiet = 0
    for (const transition of now) missing.delete(sentence(transition))
    seen = now
  }
}, WALK_MS)

test('the walk calls every function that may write', async () => {
  const functions = await database.query<{ name: string }>(
    "select proname as name from pg_proc where pronamespace = 'public'::regnamespace and provolatile = 'v'",
  )
  const methods = functions.map(({ name }) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()))
  expect(methods.length).toBeGreaterThan(0)
  expect(methods.filter((method) => !walk.called.has(method))).toEqual([])
})

test('the document draws every machine of the database', () => {
  expect(drawn.map(({ machine }) => machine).sort()).toEqual([...new Set(seen.map(({ machine }) => machine))].sort())
})

describe.each(drawn)('the life of one $machine', ({ machine, arrows: drawnArrows, rows }) => {
  const happened = () => seen.filter((transition) => transition.machine === machine)

  test('has in its table what the functions do, and nothing else', () => {
    expect(rows.map(sentence).sort()).toEqual(happened().map(sentence).sort())
  })

  test('has an arrow in its diagram for each change of state, and none more', () => {
    expect(arrows(drawnArrows)).toEqual([...new Set(arrows(happened()))])
  })
})
