import type { Frame } from '../client.ts'
import type { Alteration, Link } from './altering-proxy.ts'
import { mutations, type Mutation } from './mutations.ts'

/** A mutation that alters nothing: its links are stand-ins, which note what it would tell a client. */
interface Watched { alteration: Alteration, linkOf (link: Link): Link, note (): void }

/** Begins all mutations without their effects. @param note is called for each thing that one of them would have altered. */
export function watch (note: (mutation: Mutation) => void): Alteration {
  const all = mutations.map(mutation => begin(mutation, () => note(mutation)))
  /** Notes a mutation if it makes something else of what passes. */
  function compare<T> (passing: T, alter: (watched: Watched) => T | undefined): T {
    for (const watched of all) {
      const altered = alter(watched)
      if (altered !== undefined && JSON.stringify(altered) !== JSON.stringify(passing)) watched.note()
    }
    return passing
  }

  return {
    down: (frame, link, links) => compare<Frame[]>([frame], ({ alteration, linkOf }) =>
      alteration.down?.(frame, linkOf(link), new Set([...links].map(linkOf)))),
    up: (frame, link) => compare(frame, ({ alteration, linkOf }) => alteration.up?.(frame, linkOf(link))),
    close: (code, reason) => compare<[number, string]>([code, reason], ({ alteration }) => alteration.close?.(code, reason)),
    headers: headers => compare(headers, ({ alteration }) => alteration.headers?.(headers)),
    rest: (path, status, text) => compare({ status, text }, ({ alteration }) => alteration.rest?.(path, status, text))
  }
}

function begin (mutation: Mutation, note: () => void): Watched {
  const standIns = new WeakMap<Link, Link>()
  return {
    alteration: mutation.begin(),
    note,
    linkOf (link) {
      const known = standIns.get(link)
      if (known) return known
      const made = { get userId () { return link.userId }, asked: link.asked, tell: note }
      standIns.set(link, made)
      return made
    }
  }
}
