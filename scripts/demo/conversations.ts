import { DAY, HOUR, MINUTE, pickTime, type Rhythm } from './calendar.ts'
import type { NewId } from './ids.ts'
import type { Account, Message } from './model.ts'
import { presenceOf } from './people.ts'
import type { Random } from './random.ts'
import { chooseLines, readScenes, speak, speakersOf, type Line, type Scene } from './talk.ts'

/** Texts that are not said again as long as they are among the last so many of a channel. */
const MEMORY = 40
/** Times that a scene is written anew, at most, if it would repeat a text. */
const ATTEMPTS = 6
/** Milliseconds between two scenes of a channel, at least. */
const PAUSE = 2 * MINUTE
const SECOND = 1000

/** A scene with the time at which it begins, and the times at which its lines are said. */
export interface PlannedScene { scene: Scene, lines: Line[], times: number[] }

/** A message that was said, with the reactions that fit it. */
export interface Said { message: Message, reactions: string[] }

/** Returns a function that deals scenes of these files, so that none comes again soon. */
export function dealScenes (random: Random, files: string[]): () => Scene {
  const scenes = files.flatMap(readScenesOnce)
  const deal = random.deck(scenes)
  const last: Scene[] = []
  const memory = Math.min(8, Math.floor(new Set(scenes).size / 2))
  return () => {
    let scene = deal()
    while (last.includes(scene)) scene = deal()
    last.push(scene)
    if (last.length > memory) last.shift()
    return scene
  }
}

const known = new Map<string, Scene[]>()

/** Several channels use the same files, and scenes that are named twice have to be the same objects. */
function readScenesOnce (file: string): Scene[] {
  let scenes = known.get(file)
  if (!scenes) known.set(file, scenes = readScenes(file))
  return scenes
}

/**
 * Plans scenes that have `count` messages together, between two times and in the order of time. Scenes do not overlap: those that would are
 * moved back, so a busy channel may begin earlier than `from`.
 */
export function planScenes (
  random: Random, { files, rhythm, count, from, until }: { files: string[], rhythm: Rhythm, count: number, from: number, until: number }
): PlannedScene[] {
  const deal = dealScenes(random, files)
  const drawn: Array<{ scene: Scene, lines: Line[] }> = []
  for (let left = count; left > 0;) {
    const scene = deal()
    const lines = chooseLines(scene, random).slice(0, left)
    left -= lines.length
    drawn.push({ scene, lines })
  }
  const starts = drawn.map(() => pickTime(random, rhythm, from, until)).sort((a, b) => a - b)
  const planned: PlannedScene[] = []
  let limit = until
  for (const [index, { scene, lines }] of [...drawn.entries()].reverse()) {
    const delays = delaysOf(random, lines)
    const start = Math.min(starts[index]!, limit - delays.at(-1)!)
    planned.unshift({ scene, lines, times: delays.map(delay => start + delay) })
    limit = start - PAUSE
  }
  return planned
}

/** Milliseconds from the beginning of a scene to each of its lines. People read, think and type; now and then somebody comes back later. */
function delaysOf (random: Random, lines: Line[]): number[] {
  let delay = 0
  return lines.map(({ text }, index) => {
    if (index > 0) {
      const thinking = random.chance(0.06) ? random.between(8 * MINUTE, 50 * MINUTE) : -Math.log(1 - random.next()) * 45 * SECOND
      delay += Math.floor(6 * SECOND + Math.min(text.length, 200) * 100 + thinking)
    }
    return delay
  })
}

export interface CastOptions {
  newId: NewId
  /** Lists the people who may speak in the channel at a time. */
  membersAt (at: number): Account[]
}

/** Gives the lines of planned scenes to people who are there at the time, and writes their texts. */
export function sayScenes (random: Random, planned: PlannedScene[], { newId, membersAt }: CastOptions): Said[] {
  const said: Said[] = []
  const recent: string[] = []
  const introduced = new Set<Account>()
  for (const { scene, lines, times } of planned) {
    const members = membersAt(times[0]!)
    const newcomer = scene.isIntroduction ? newestOf(members, introduced) : undefined
    const cast = castFor(random, scene, members, account => presenceOf(account, times[0]!), newcomer)
    const texts = writeTexts(random, scene, lines, cast, recent)
    let first: Message | undefined
    let before: Message | undefined
    for (const [index, line] of lines.entries()) {
      const at = times[index]!
      const by = cast.get(line.speaker)!
      const targets = { first, before, old: line.replies === 'old' ? findOld(random, said, by, at) : undefined }
      const message: Message = {
        kind: 'message', id: newId(at), at, by, seq: 0, text: texts[index]!,
        replyTo: line.replies && targets[line.replies], editedAt: undefined, deletedAt: undefined
      }
      said.push({ message, reactions: line.reactions })
      first ??= message
      before = message
    }
  }
  return said
}

/**
 * Chooses different people for the speakers of a scene. If there are too few, one person speaks for several, and
 * learners speak where nobody else knows the language.
 * @param first speaks first, if given.
 */
export function castFor<T extends { language: string }> (
  random: Random, scene: Scene, people: T[], weightOf: (person: T) => number, first?: T
): Map<string, T> {
  const cast = new Map<string, T>()
  let left = people
  for (const [index, speaker] of speakersOf(scene).entries()) {
    const fluent = left.filter(({ language }) => language === scene.language)
    const chosen = index === 0 ? first : undefined
    const person = chosen ?? random.weighted(fluent.length > 0 ? fluent : left, weightOf)
    cast.set(speaker, person)
    left = left.length > 1 ? left.filter(other => other !== person) : people
  }
  return cast
}

/** The member with the newest account who was not introduced before. */
function newestOf (members: Account[], introduced: Set<Account>): Account | undefined {
  const strangers = members.filter(account => account.role === 'user' && !introduced.has(account))
  const found = strangers.toSorted((a, b) => b.createdAt - a.createdAt)[0]
  if (found) introduced.add(found)
  return found
}

/** Writes the texts of a scene so that they repeat none of `recent`, which gets them. */
function writeTexts (random: Random, { words }: Scene, lines: Line[], cast: Map<string, Account>, recent: string[]): string[] {
  const names = new Map([...cast].map(([speaker, { given }]) => [speaker, given]))
  let best: string[] = []
  let fewest = Infinity
  for (let attempt = 0; attempt < ATTEMPTS && fewest > 0; attempt++) {
    const texts = speak(lines, words, names, random)
    const repeats = texts.filter(text => recent.includes(text)).length
    if (repeats < fewest) [best, fewest] = [texts, repeats]
  }
  recent.push(...best)
  recent.splice(0, recent.length - MEMORY)
  return best
}

/** Finds a message of somebody else that is between some hours and three weeks old. */
function findOld (random: Random, said: Said[], by: Account, at: number): Message | undefined {
  const old = said.filter(({ message }) =>
    message.by !== by && message.at > at - 21 * DAY && message.at < at - 3 * HOUR && message.text.length > 40)
  return old.length > 0 ? random.pick(old).message : undefined
}
