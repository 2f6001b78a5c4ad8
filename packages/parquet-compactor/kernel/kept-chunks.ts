// Chunks of small members of a row group, which stay while its columns are written.

import { openKept, takePages } from './chunk'
import { keepForGroup, releaseGroup, take } from './memory'
import { takePageDue, valuesSeen } from './open-page'

let listAt: usize = 0
let currentMember: u32 = 0
let stoppedFor: u32 = 0

/**
 * Make room for small members of a row group, which stay while its columns are written, and for a list of their chunks.
 * @returns where they are to be put
 */
export function beginGroup(bytes: u32, members: u32): usize {
  releaseGroup()
  const at = take(<usize>bytes)
  listAt = take((<usize>members) << 4)
  keepForGroup()
  return at
}

/** Where four numbers a chunk are to be put: where it is, its bytes, levels and codec. */
export function chunkList(): usize {
  return listAt
}

/**
 * Take over chunks of the list.
 * @param pauseAt values after which to stop for a look at the dictionary
 * @returns the first one that is not done: `stoppedFor` tells why
 */
export function takeList(from: u32, count: u32, maxPageBytes: u32, pauseAt: u32): u32 {
  stoppedFor = 0
  for (let i = from; i < count; i++) {
    const entry = listAt + ((<usize>i) << 4)
    currentMember = i
    const inputCodec = load<u32>(entry, 12)
    openKept(<usize>load<u32>(entry), <usize>load<u32>(entry, 4), <i64>load<u32>(entry, 8))
    stoppedFor = takePages(inputCodec, maxPageBytes)
    if (stoppedFor !== 0) return i
    if (takePageDue() || valuesSeen >= pauseAt) return i + 1
  }
  return count
}

/** as `takePages`; 0 also for a pause */
export function whyStopped(): u32 {
  return stoppedFor
}

/** the one of the list whose pages are taken over */
export function memberInHand(): u32 {
  return currentMember
}
