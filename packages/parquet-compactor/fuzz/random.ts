/** A number below the bound, from 0 on. */
export type Random = (below: number) => number

/** mulberry32: the same seed and index give the same file on any machine. */
export function randomFrom(seed: number, index = 0): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

export function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[random(items.length)]!
}
