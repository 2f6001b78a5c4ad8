// The distinct values of a column, in the order they came, with open addressing over their hashes.

/** a longer search means that hashes collide, by chance or on purpose: then values are better off plain */
const MAX_PROBES: u32 = 96
export const NO_INDEX: u32 = 0xffffffff

export let count: u32 = 0
/** the dictionary page: length-prefixed byte arrays, or values of fixed width */
export let plainAt: usize = 0
export let plainBytes: usize = 0

export let plainRoom: usize = 0
export let entryRoom: u32 = 0
/** bytes of a value, 0 for byte arrays */
let width: usize = 0
/** where each entry begins in the page; only for byte arrays */
let startsAt: usize = 0
/** index + 1 of an entry, 0 for none */
let slotsAt: usize = 0
let slotMask: u32 = 0

/** @returns bytes of memory wanted for pages of `bytes` with up to `entries` */
export function dictionaryRoom(bytes: usize, entries: u32): usize {
  return align(bytes + 16) + ((<usize>entries) << 2) + ((<usize>slotsFor(entries)) << 2)
}

function align(bytes: usize): usize {
  return (bytes + 15) & ~15
}

function slotsFor(entries: u32): u32 {
  let slots: u32 = 64
  while (slots < entries * 2) slots <<= 1
  return slots
}

export function beginDictionary(at: usize, bytes: usize, entries: u32, valueWidth: usize): void {
  width = valueWidth
  plainAt = at
  plainRoom = bytes
  entryRoom = entries
  startsAt = at + align(bytes + 16)
  slotsAt = startsAt + ((<usize>entries) << 2)
  plainBytes = 0
  count = 0
  slotMask = 63
  memory.fill(slotsAt, 0, 64 << 2)
}

/** words that `saveDictionary` writes */
export const STATE_WORDS: usize = 9

/** Put away which dictionary is in hand, so that another one can be. */
export function saveDictionary(at: usize): void {
  store<u32>(at, count)
  store<u32>(at, <u32>plainAt, 4)
  store<u32>(at, <u32>plainBytes, 8)
  store<u32>(at, <u32>plainRoom, 12)
  store<u32>(at, entryRoom, 16)
  store<u32>(at, <u32>width, 20)
  store<u32>(at, <u32>startsAt, 24)
  store<u32>(at, <u32>slotsAt, 28)
  store<u32>(at, slotMask, 32)
}

export function loadDictionary(at: usize): void {
  count = load<u32>(at)
  plainAt = <usize>load<u32>(at, 4)
  plainBytes = <usize>load<u32>(at, 8)
  plainRoom = <usize>load<u32>(at, 12)
  entryRoom = load<u32>(at, 16)
  width = <usize>load<u32>(at, 20)
  startsAt = <usize>load<u32>(at, 24)
  slotsAt = <usize>load<u32>(at, 28)
  slotMask = load<u32>(at, 32)
}

/** how many entries a dictionary that was put away has */
export function countOf(state: usize): u32 {
  return load<u32>(state)
}

/** where the bytes of one of them begin */
export function entryOf(state: usize, index: u32): usize {
  const plain = <usize>load<u32>(state, 4)
  const bytes = <usize>load<u32>(state, 20)
  if (bytes > 0) return plain + <usize>index * bytes
  return plain + <usize>load<u32>(<usize>load<u32>(state, 24) + ((<usize>index) << 2)) + 4
}

/** Move the dictionary in hand to larger room: `dictionaryRoom(bytes, entries)` at `at`. */
export function moveDictionary(at: usize, bytes: usize, entries: u32): void {
  const oldStarts = startsAt
  memory.copy(at, plainAt, plainBytes)
  plainAt = at
  plainRoom = bytes
  entryRoom = entries
  startsAt = at + align(bytes + 16)
  if (width === 0) memory.copy(startsAt, oldStarts, (<usize>count) << 2)
  slotsAt = startsAt + ((<usize>entries) << 2)
  fillSlots()
}

/** where the bytes of an entry begin */
export function entryAt(index: u32): usize {
  return width > 0 ? plainAt + <usize>index * width : plainAt + <usize>load<u32>(startsAt + ((<usize>index) << 2)) + 4
}

export function entryBytes(index: u32): usize {
  return width > 0 ? width : <usize>load<u32>(entryAt(index) - 4)
}

function hash4(value: u32): u32 {
  const mixed = value * 0x9e3779b1
  return mixed ^ (mixed >> 15)
}

function hash8(value: u64): u32 {
  // numbers often differ in their upper bits alone, which a product does not carry down
  const mixed = (value ^ (value >> 32)) * 0x9e3779b97f4a7c15
  return <u32>(mixed >> 32)
}

/** Sixteen times 0xff, then sixteen zeros: what is read from so far in front of the zeros keeps as many bytes. */
const MASKS = memory.data<u64>([-1, -1, 0, 0])

/** the next `length` bytes, 16 at the most, and zeros; 16 are read */
function firstBytes(from: usize, length: usize): v128 {
  return v128.and(v128.load(from), v128.load(MASKS + 16 - length))
}

function hashBytes(from: usize, length: usize): u32 {
  let hash: u64 = <u64>length * 0x9e3779b97f4a7c15
  let at = from
  let left = length
  for (; left > 16; left -= 16, at += 16) hash = mix(hash, v128.load(at))
  return <u32>((mix(hash, firstBytes(at, left)) * 0xc4ceb9fe1a85ec53) >> 32)
}

/** Both halves are multiplied at once, each by a number of its own. */
function mix(hash: u64, bytes: v128): u64 {
  const low = (hash ^ i64x2.extract_lane(bytes, 0)) * 0xff51afd7ed558ccd
  const high = i64x2.extract_lane(bytes, 1) * 0xd6e8feb86659fd93
  const mixed = low ^ rotl<u64>(high, 32)
  return mixed ^ (mixed >> 32)
}

/** @returns the index of the 4 bytes, or `NO_INDEX` where the dictionary is full */
export function intern4(value: u32): u32 {
  for (
    let slot = hash4(value) & slotMask, probes: u32 = 0;
    probes < MAX_PROBES;
    slot = (slot + 1) & slotMask, probes++
  ) {
    const entry = load<u32>(slotsAt + ((<usize>slot) << 2))
    if (entry === 0) {
      if (!hasRoom(4)) return NO_INDEX
      store<u32>(slotsAt + ((<usize>slot) << 2), count + 1)
      store<u32>(plainAt + plainBytes, value)
      plainBytes += 4
      return add()
    }
    if (load<u32>(plainAt + ((<usize>(entry - 1)) << 2)) === value) return entry - 1
  }
  return NO_INDEX
}

export function intern8(value: u64): u32 {
  for (
    let slot = hash8(value) & slotMask, probes: u32 = 0;
    probes < MAX_PROBES;
    slot = (slot + 1) & slotMask, probes++
  ) {
    const entry = load<u32>(slotsAt + ((<usize>slot) << 2))
    if (entry === 0) {
      if (!hasRoom(8)) return NO_INDEX
      store<u32>(slotsAt + ((<usize>slot) << 2), count + 1)
      store<u64>(plainAt + plainBytes, value)
      plainBytes += 8
      return add()
    }
    if (load<u64>(plainAt + ((<usize>(entry - 1)) << 3)) === value) return entry - 1
  }
  return NO_INDEX
}

/** For byte arrays and other fixed widths. */
export function internBytes(from: usize, length: usize): u32 {
  const prefix: usize = width > 0 ? 0 : 4
  const hash = hashBytes(from, length)
  for (let slot = hash & slotMask, probes: u32 = 0; probes < MAX_PROBES; slot = (slot + 1) & slotMask, probes++) {
    const entry = load<u32>(slotsAt + ((<usize>slot) << 2))
    if (entry === 0) {
      if (!hasRoom(prefix + length)) return NO_INDEX
      store<u32>(slotsAt + ((<usize>slot) << 2), count + 1)
      if (prefix > 0) {
        store<u32>(startsAt + ((<usize>count) << 2), <u32>plainBytes)
        store<u32>(plainAt + plainBytes, <u32>length)
      }
      memory.copy(plainAt + plainBytes + prefix, from, length)
      plainBytes += prefix + length
      return add()
    }
    if (entryBytes(entry - 1) === length && areEqual(entryAt(entry - 1), from, length)) return entry - 1
  }
  return NO_INDEX
}

function areEqual(a: usize, b: usize, length: usize): bool {
  let i: usize = 0
  for (; i + 16 < length; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false
  }
  const difference = v128.xor(v128.load(a + i), v128.load(b + i))
  return !v128.any_true(v128.and(difference, v128.load(MASKS + 16 - (length - i))))
}

function hasRoom(bytes: usize): bool {
  return count < entryRoom && bytes <= plainRoom - plainBytes
}

function add(): u32 {
  const index = count++
  if (count * 2 > slotMask + 1) rehash()
  return index
}

function rehash(): void {
  slotMask = slotMask * 4 + 3
  const most = slotsFor(entryRoom) - 1
  if (slotMask > most) slotMask = most
  fillSlots()
}

function fillSlots(): void {
  memory.fill(slotsAt, 0, (<usize>slotMask + 1) << 2)
  for (let index: u32 = 0; index < count; index++) {
    const at = entryAt(index)
    let slot =
      (width === 4 ? hash4(load<u32>(at)) : width === 8 ? hash8(load<u64>(at)) : hashBytes(at, entryBytes(index))) &
      slotMask
    while (load<u32>(slotsAt + ((<usize>slot) << 2)) !== 0) slot = (slot + 1) & slotMask
    store<u32>(slotsAt + ((<usize>slot) << 2), index + 1)
  }
}
