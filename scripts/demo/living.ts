import { setTimeout as rest } from 'node:timers/promises'
import { ParleyError, type Channel } from '@parley/client'
import { createActor, type Actor } from './actor.ts'
import { channelPlans, type ChannelPlan } from './channels.ts'
import { castFor, dealScenes } from './conversations.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import { chooseLines, speak, speakersOf, type Line, type Scene } from './talk.ts'

/** Conversations that go on at a time, in different channels. */
const MOST_SCENES = 3
/** The share of the scripted people who are there at a time, at least. */
const PRESENT = 0.6
/** Milliseconds between two people who come or go. */
const COMING = [12_000, 30_000] as const
const REACTING = 0.7
/** The share of messages that are sent with a slip of the finger, and put right. */
const SLIPPING = 0.06
/** Milliseconds that a message may take to be stored. */
const PATIENCE = 10_000

export interface LivingOptions {
  /** The URL of the server. */
  url: string
  /** All people; the scripted ones among them talk. */
  people: Person[]
  random: Random
  /** Milliseconds from one message to the next, at least and at most. Default: 2 to 5 seconds. */
  pause?: readonly [number, number]
  /** Receives errors that have nothing to do with what the people may do. */
  onFault?: (error: unknown) => void
}

export interface Living {
  /** Lets everybody finish the word and go. Resolves when all connections are closed. */
  stop (): Promise<void>
}

/** A conversation that goes on. */
interface Playing {
  channelName: string
  lines: Line[]
  texts: string[]
  cast: Map<string, Actor>
  next: number
  /** Ids of its messages so far. */
  first?: string
  before?: string
}

/** Lets the scripted people come, go, type, talk, reply, react and correct themselves, until it is stopped. */
export function startLiving ({ url, people, random, pause = [2000, 5000], onFault = console.error }: LivingOptions): Living {
  const ending = new AbortController()
  const { signal } = ending
  const tell = (error: unknown): void => { if (!isExpected(error, signal)) onFault(error) }
  const actors = people.filter(({ isScripted }) => isScripted)
    .map(person => createActor({ url, person, random: random.fork(person.email), signal, onFault: tell }))
  const deals = new Map(channelPlans.map(plan => [plan.name, dealScenes(random.fork(plan.name), plan.talk)]))
  let playing: Playing[] = []

  async function comeAndGo (): Promise<void> {
    const present = Math.ceil(actors.length * PRESENT)
    for (const actor of random.shuffle(actors).slice(0, present)) await attempt(actor.come)
    while (!signal.aborted) {
      await wait(random.between(...COMING))
      const actor = random.pick(actors)
      const isBusy = playing.some(({ cast }) => [...cast.values()].includes(actor))
      if (!actor.isHere) await attempt(async () => { await actor.go(); await actor.come() })
      else if (!isBusy && actors.filter(({ isHere }) => isHere).length > present) await attempt(actor.go)
    }
  }

  async function talk (): Promise<void> {
    while (!signal.aborted) {
      const whole = random.between(...pause)
      await wait(whole / 2)
      await attempt(() => sayNext(whole / 2))
    }
  }

  /** Says the next line of one of the conversations. @param typing milliseconds that it takes to write it. */
  async function sayNext (typing: number): Promise<void> {
    playing = playing.filter(scene => channelFor(scene))
    if (playing.length < MOST_SCENES && (playing.length === 0 || random.chance(0.4))) begin()
    if (playing.length === 0) return
    const scene = random.pick(playing)
    const channel = channelFor(scene)!
    const line = scene.lines[scene.next]!
    const text = scene.texts[scene.next]!
    scene.next++
    try {
      channel.typing()
      await wait(typing)
      const isSlip = text.length > 30 && random.chance(SLIPPING)
      const replyTo = targetOf(scene, line, channel)
      const { id } = await channel.send(isSlip ? slip(text) : text, {
        ...replyTo !== undefined && { replyTo }, signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
      })
      scene.first ??= id
      scene.before = id
      if (isSlip) {
        await wait(typing)
        await channel.edit(id, text)
      }
      await react(scene, line, id, typing)
    } catch (error) {
      // Somebody may have been muted, or the message that it replies to deleted. The conversation breaks off.
      playing = playing.filter(other => other !== scene)
      throw error
    }
  }

  /** The channel of a conversation as its next speaker has it, if the conversation is not over and that person is there. */
  function channelFor ({ cast, lines, next, channelName }: Playing): Channel | undefined {
    const actor = lines[next] && cast.get(lines[next].speaker)
    return actor?.isHere ? actor.channelOf(channelName) : undefined
  }

  /** Begins a conversation where enough people are there who are not in one already. */
  function begin (): void {
    const busy = playing.map(({ channelName }) => channelName)
    // The scripted people are not new here, so they do not introduce themselves.
    const places = channelPlans.filter(({ name }) => name !== 'introductions' && !busy.includes(name) && thereIn(name).length >= 3)
    if (places.length === 0) return
    const { name }: ChannelPlan = random.weighted(places, ({ share }) => share)
    const scene: Scene = deals.get(name)!()
    const there = thereIn(name).filter(({ person }) => scene.language === undefined || person.language === scene.language)
    if (speakersOf(scene).length > there.length) return
    const people = there.map(actor => ({ actor, language: actor.person.language }))
    const cast = new Map([...castFor(random, scene, people, () => 1)].map(([speaker, { actor }]) => [speaker, actor]))
    const lines = chooseLines(scene, random)
    const names = new Map([...cast].map(([speaker, { person }]) => [speaker, person.given]))
    playing.push({ channelName: name, lines, texts: speak(lines, scene.words, names, random), cast, next: 0 })
  }

  function thereIn (channelName: string): Actor[] {
    return actors.filter(actor => actor.isHere && actor.channelOf(channelName))
  }

  function targetOf ({ first, before }: Playing, { replies }: Line, channel: Channel): string | undefined {
    if (replies === 'first') return first
    if (replies === 'before') return before
    const old = replies === 'old' ? channel.getSnapshot().messages.filter(({ deleted }) => !deleted) : []
    return old.length > 0 ? random.pick(old).id : undefined
  }

  async function react ({ channelName, cast }: Playing, { speaker, reactions }: Line, id: string, delay: number): Promise<void> {
    const others = thereIn(channelName).filter(actor => actor !== cast.get(speaker))
    if (reactions.length === 0 || others.length === 0 || !random.chance(REACTING)) return
    await wait(delay / 2)
    await random.pick(others).channelOf(channelName)?.react(id, random.pick(reactions))
  }

  const wait = (ms: number): Promise<void> => rest(ms, undefined, { signal })

  /** An error ends one act, not the life of the demo. */
  const attempt = (act: () => Promise<void>): Promise<void> => act().catch(tell)

  const running = [comeAndGo(), talk()].map(loop => loop.catch(tell))
  return {
    async stop () {
      ending.abort()
      await Promise.all(running)
      await Promise.all(actors.map(actor => actor.go()))
    }
  }
}

/** Says whether an error belongs to the demo: a refusal, as of somebody whom a visitor has just banned, or the end of the demo. */
function isExpected (error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof ParleyError || (error instanceof DOMException && error.name === 'TimeoutError')
}

/** Swaps two letters in the middle of the longest word. */
function slip (text: string): string {
  const longest = text.match(/\p{L}+/gu)?.toSorted((a, b) => b.length - a.length)[0]
  if (longest === undefined || longest.length < 5) return text
  const middle = Math.floor(longest.length / 2)
  return text.replace(longest, longest.slice(0, middle - 1) + longest[middle]! + longest[middle - 1]! + longest.slice(middle + 1))
}
