/** A variable that has no effect, although it looks as if it should have one. The message is one line for the operator. */
export interface EnvironmentWarning { variable: string, message: string }

/** Names of at least this many letters may differ from a known one by one letter, and longer ones by two. Shorter ones may not differ. */
const ONE_TYPO_LENGTH = 8
const TWO_TYPOS_LENGTH = 12

/** The value of `NAME_PORT` that Kubernetes, and Docker's links, set for a service called NAME. */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\/(?:[\d.]+|\[[\da-f:.]+\]):\d+$/i

const LINK_TEXT = 'its value is a link to a Kubernetes service; set enableServiceLinks: false for the pod'

/**
 * Whether a variable was set by Kubernetes and not by a person: for a Service named `metrics`, every pod of the namespace gets
 * `METRICS_PORT=tcp://10.0.0.1:9090`.
 */
export function isServiceLink (variable: string, value: string): boolean {
  return variable.endsWith('PORT') && SERVICE_LINK.test(value)
}

/**
 * Finds variables that are probably meant for Parley but have no effect: service links in known variables, and misspelt names.
 *
 * A name is misspelt if its letters are those of a known name, whatever its case and underscores (`DATABASE_POOLSIZE`), or almost: one
 * letter is missing, added, replaced or exchanged with its neighbour, two in names of 12 letters or more, none in names of less than 8.
 * `PARLEY_` before a known name is a mistake too, and so is `WEBSOCKET_` instead of `SERVER_`. Everything else belongs to other programs:
 * `PORTS`, `HOSTNAME`, `LOG_DIR`, `REDIS_HOST`, `DATABASE_HOST`, `METRICS_HOST`, and every name with a digit, which no known name has.
 */
export function findWarnings (env: NodeJS.ProcessEnv, known: string[]): EnvironmentWarning[] {
  const names = new Set(known)
  const spellings = spellingsOf(known)
  const warnings: EnvironmentWarning[] = []
  for (const [variable, value = ''] of Object.entries(env)) {
    if (isServiceLink(variable, value)) {
      if (names.has(variable)) warnings.push({ variable, message: `${variable} is ignored: ${LINK_TEXT}` })
    } else if (value !== '' && !names.has(variable)) {
      const nearest = nearestName(lettersOf(variable), spellings)
      if (nearest !== null) warnings.push({ variable, message: `${variable} is unknown and has no effect; did you mean ${nearest}?` })
    }
  }
  return warnings
}

/** Letters under which a known name may be looked for, each with the name. */
function spellingsOf (known: string[]): Array<[letters: string, name: string]> {
  return known.flatMap(name => {
    const prefixed = name.startsWith('PARLEY_') ? [] : [`PARLEY_${name}`]
    const others = name.startsWith('SERVER_') ? [name.replace('SERVER_', 'WEBSOCKET_')] : []
    return [name, ...prefixed, ...others].map((spelling): [string, string] => [lettersOf(spelling), name])
  })
}

function lettersOf (name: string): string {
  return name.replaceAll('_', '').toUpperCase()
}

function nearestName (letters: string, spellings: Array<[letters: string, name: string]>): string | null {
  if (/\d/.test(letters)) return null
  let nearest: string | null = null
  let least = Infinity
  for (const [spelling, name] of spellings) {
    const most = spelling.length < ONE_TYPO_LENGTH ? 0 : spelling.length < TWO_TYPOS_LENGTH ? 1 : 2
    if (Math.abs(letters.length - spelling.length) > most) continue
    const typos = countTypos(letters, spelling)
    if (typos > most || typos >= least) continue
    nearest = name
    least = typos
  }
  return nearest
}

/** Counts letters that are missing, added, replaced or exchanged with their neighbour: the edit distance of optimal string alignment. */
function countTypos (a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + Number(a[i - 1] !== b[j - 1])
      const isExchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const exchanged = isExchange ? beforeLast[j - 2]! + 1 : Infinity
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, replaced, exchanged))
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
