import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatasetSettings, Environment, TableSettings } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { ownDatabase } from '../own-database.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/configuration.md'), 'utf8')
const database = await ownDatabase()

/** The cells of the table of a section, without backticks. */
function tableOf(section: string): string[][] {
  const [, rest = ''] = page.split(`## ${section}\n`)
  const rows = rest
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows.length, section).toBeGreaterThan(0)
  return rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', ''))).map((cells) => cells.slice(1))
}

describe('docs/configuration.md', () => {
  test('has the variables of the Workers with their defaults', () => {
    const required = {
      SUPABASE_URL: 'https://a.supabase.co',
      SUPABASE_SECRET_KEY: 'key',
      OPERATOR_TOKEN: 'x'.repeat(32),
    }
    const { SUPABASE_JWT_ISSUER = '<SUPABASE_URL>/auth/v1', ...defaults } = Environment.parse(required)
    const expected = Object.keys(Environment.shape).map((name) => {
      if (Object.hasOwn(required, name)) return [name, 'required']
      return [name, String({ ...defaults, SUPABASE_JWT_ISSUER }[name as keyof typeof defaults] ?? 'none')]
    })
    expect(tableOf('Variables of the Workers').map(([name, value]) => [name, value])).toEqual(expected)
  })

  test('has the settings of a dataset with their defaults and ranges', async () => {
    await database.query(`insert into datasets (id, owner_id) values ('configured', gen_random_uuid())`)
    const rows = tableOf('Settings of a dataset')
    for (const [name, value, range] of rows) {
      const [setting] = await database.query<{ setting: unknown }>(`select fusou.setting('{}', $1) as setting`, name)
      expect(setting!.setting === null ? 'none' : String(setting!.setting), name).toBe(value)
      const least = Number(/^from (\d+)$/.exec(range!)![1])
      const configure = (to: number) =>
        database.query(
          `select configure_dataset('configured', '{"operator": true}', $1::jsonb)`,
          JSON.stringify({ [name!]: to }),
        )
      await configure(least)
      await expect(configure(least - 1)).rejects.toThrow(name)
    }
    const defaults = Object.entries(DatasetSettings.parse({})).map(([name, value]) => [name, String(value ?? 'none')])
    expect(rows.map(([name, value]) => [name, value])).toEqual(defaults)
  })

  test('has the settings of a table with their defaults', () => {
    const defaults = Object.entries(TableSettings.parse({})).map(([name, value]) => [name, String(value ?? 'none')])
    expect(tableOf('Settings of a table').map(([name, value]) => [name, value])).toEqual(defaults)
  })

  test.each([
    ['Admission', 'configure_admission'],
    ['History', 'configure_retention'],
  ])('has the settings of %s with their defaults and ranges', async (section, configure) => {
    const set = async (changes: object) => {
      const [answer] = await database.query<{ settings: Record<string, number> }>(
        `select ${configure}('{"operator": true}', $1::jsonb) as settings`,
        JSON.stringify(changes),
      )
      return answer!.settings
    }
    const rows = tableOf(section)
    const columns = section === 'History' ? 'retention' : 'admission'
    await database.query(`delete from ${columns}`)
    await database.query(`insert into ${columns} default values`)
    expect(Object.fromEntries(rows.map(([name, value]) => [name, Number(value)]))).toEqual(await set({}))
    for (const [name, , range] of rows) {
      const least = Number(/^from (\d+)$/.exec(range!)![1])
      expect((await set({ [name!]: least }))[name!]).toBe(least)
      await expect(set({ [name!]: least - 1 })).rejects.toThrow()
    }
  })

  test('has the limits of an owner with their defaults', async () => {
    const [answer] = await database.query<{ limits: unknown }>('select fusou.default_limits() as limits')
    const rows = tableOf('Limits of an owner')
    expect(Object.fromEntries(rows.map(([name, value]) => [name, Number(value)]))).toEqual(answer!.limits)
  })
})
