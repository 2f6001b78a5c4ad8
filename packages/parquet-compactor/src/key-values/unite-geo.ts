import { commonMembers, isObject, isSameJson, type JsonObject, parseObject } from './json.ts'

/** These say how coordinates are read: without one meaning of them there is no description of the merged column. */
const MEANING: readonly (readonly [member: string, fallback: unknown])[] = [
  ['encoding', undefined],
  // left out is OGC:CRS84, which is not the same as null, an unknown one
  ['crs', undefined],
  ['edges', 'planar'],
  ['epoch', undefined],
]

/**
 * Unite the `geo` metadata of two files (geoparquet.org, versions 1.0 and 1.1): the box around both boxes and the geometry types
 * of both; a box that one of them lacks, or that crosses the antimeridian, is left out, as are other members that differ.
 * @returns undefined where columns differ in what their coordinates mean
 */
export function uniteGeo(left: string, right: string): string | undefined {
  const [one, other] = [parseObject(left), parseObject(right)]
  if (!one || !other || one.primary_column !== other.primary_column) return undefined
  const [columns, others] = [one.columns, other.columns]
  if (!isObject(columns) || !isObject(others)) return undefined
  const [version, otherVersion] = [one.version, other.version]
  if (typeof version !== 'string' || typeof otherVersion !== 'string') return undefined
  if (version.split('.')[0] !== otherVersion.split('.')[0]) return undefined
  const united: [string, JsonObject][] = []
  for (const name of new Set([...Object.keys(columns), ...Object.keys(others)])) {
    const [column, otherColumn] = [columns, others].map((all) => (Object.hasOwn(all, name) ? all[name] : undefined))
    const known = column ?? otherColumn
    if (!isObject(known)) return undefined
    const both =
      column === undefined || otherColumn === undefined ? describedOnce(known) : uniteColumns(column, otherColumn)
    if (!both) return undefined
    united.push([name, both])
  }
  return JSON.stringify({
    ...commonMembers(one, other),
    version: [version, otherVersion].sort()[1],
    primary_column: one.primary_column,
    columns: Object.fromEntries(united),
  })
}

/** Drops the box of a column that only one file describes: the other file may have values outside of it. */
function describedOnce({ bbox: _, ...column }: JsonObject): JsonObject {
  return { ...column, geometry_types: [] }
}

function uniteColumns(left: unknown, right: unknown): JsonObject | undefined {
  if (!isObject(left) || !isObject(right)) return undefined
  for (const [member, fallback] of MEANING) {
    if (Object.hasOwn(left, member) !== Object.hasOwn(right, member) && fallback === undefined) return undefined
    if (!isSameJson(left[member] ?? fallback, right[member] ?? fallback)) return undefined
  }
  const { bbox: _, geometry_types: __, ...common } = commonMembers(left, right)
  const bbox = uniteBoxes(left.bbox, right.bbox)
  return {
    ...common,
    encoding: left.encoding,
    geometry_types: uniteTypes(left.geometry_types, right.geometry_types),
    ...(bbox && { bbox }),
  }
}

/** An empty list says that the types are not known. */
function uniteTypes(left: unknown, right: unknown): unknown[] {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length === 0 || right.length === 0) return []
  return [...new Set([...left, ...right])].sort()
}

/** @returns undefined where one is missing, malformed, of other dimensions or over the antimeridian, where xmin is above xmax */
function uniteBoxes(left: unknown, right: unknown): number[] | undefined {
  if (!isBox(left) || !isBox(right) || left.length !== right.length) return undefined
  const half = left.length / 2
  return left.map((value, i) => (i < half ? Math.min(value, right[i]!) : Math.max(value, right[i]!)))
}

function isBox(value: unknown): value is number[] {
  if (!Array.isArray(value) || (value.length !== 4 && value.length !== 6)) return false
  const half = value.length / 2
  return (
    value.every((bound) => Number.isFinite(bound)) && value.slice(0, half).every((low, i) => low <= value[half + i])
  )
}

/** @returns names of the columns that it describes */
export function geoColumns(geo: string): string[] {
  const document = parseObject(geo)
  return document && isObject(document.columns) ? Object.keys(document.columns) : []
}
