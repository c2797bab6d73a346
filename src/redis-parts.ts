/**
 * One of the parts into which the names of keys and channels are divided in Redis Cluster. Everything in a part is in one slot, so one node
 * has it, and a script may use all of it. A slot that moves, or a node that dies, concerns only the connections of its parts.
 */
export interface Part {
  /** The beginning of all names of the part. Its hash tag puts them into one slot. */
  prefix: string
  /** A key of the part that Redis never has. */
  key: string
  /** True for one part of all. */
  isFirst: boolean
  /** Notes that the part is connected. Returns whether all parts are now. */
  connected (): boolean
  /** Notes that the part is not connected. Returns whether no part has said why since all of them were connected. */
  failed (why: string): boolean
}

/**
 * Number of parts of the bus and of presence, and so of masters that can share their load. All instances have to agree on
 * it. Twelve are spread evenly over 2, 3, 4, 6 or 12 masters, and cost an idle instance 1 % of a core.
 */
export const PARTS = 12
const SLOTS = 16_384

/**
 * Makes the parts of one use of Redis. Their slots lie at equal distances, because each node of a cluster has a range of slots.
 * @param use names the parts, so that those of different uses are in different slots.
 */
export function createParts (use: string, prefix: string, count = PARTS): Part[] {
  const notConnected = new Set<number>(Array(count).keys())
  const said = new Set<string>()
  return Array.from({ length: count }, (_, i) => {
    const ownPrefix = `${prefix}{${tagIn(use, i * SLOTS / count, (i + 1) * SLOTS / count)}}:`
    return {
      prefix: ownPrefix,
      key: `${ownPrefix}probe`,
      isFirst: i === 0,
      connected () {
        notConnected.delete(i)
        if (notConnected.size > 0) return false
        said.clear()
        return true
      },
      failed (why) {
        notConnected.add(i)
        if (said.has(why)) return false
        said.add(why)
        return true
      }
    }
  })
}

/** Returns the part, or another item of the list, that a name belongs to: always the same. */
export function choose<T> (items: T[], name: string): T {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return items[(hash >>> 0) % items.length]!
}

/** Returns the first hash tag with this beginning whose slot is not below `from` and below `to`. */
function tagIn (beginning: string, from: number, to: number): string {
  for (let n = 0; ; n++) {
    const slot = slotOf(`${beginning}${n}`)
    if (slot >= from && slot < to) return `${beginning}${n}`
  }
}

/** The slot of a hash tag, as Redis computes it: CRC-16/XMODEM, modulo the number of slots. */
export function slotOf (tag: string): number {
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc % SLOTS
}
