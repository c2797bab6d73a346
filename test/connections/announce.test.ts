import type { Broker, BusEvent, Topic } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory.ts'
import { createAnnounce } from '../../src/connections/announce.ts'
import { countFrames } from '../../src/connections/frames.ts'
import { eventually } from '../eventually.ts'
import { channel, person } from '../presence/people.ts'
import { t } from '../tap.ts'

/** An `announce`, and one line for each publication that it makes: `SCOPE: TYPE USER, …`. */
function open () {
  const lines: string[] = []
  const broker: Broker = {
    ...createMemoryBroker(),
    publish (_topic: Topic, event: BusEvent, scope = 'everyone') {
      if (event.kind !== 'notice') return
      const frames = event.frame.toString().match(/\{.*?\}/g)!.map(text => JSON.parse(text))
      lines.push(`${scope}: ${frames.map(({ type, username }) => `${type} ${username}`).join(', ')}`)
    }
  }
  return { announce: createAnnounce(broker), lines }
}

const lobby = channel('lobby')
const [ann, bob] = [person('ann'), person('bob')]

t.test('[P23] the first announcement is published at once, and those within its window are published together', async t => {
  const { announce, lines } = open()
  announce('user_joined', lobby, ann, 'everyone')
  announce('user_left', lobby, ann, 'everyone')
  announce('user_joined', lobby, bob, 'everyone')
  announce('user_joined', channel('den'), bob, 'everyone')
  t.same(lines, ['everyone: user_joined ann', 'everyone: user_joined bob'], 'each channel has its own window')
  await eventually(() => lines.length > 2)
  t.equal(lines[2], 'everyone: user_left ann, user_joined bob')
})

t.test('[P23] a departure announced to everyone does not overtake the arrival announced elsewhere', async t => {
  const { announce, lines } = open()
  announce('user_joined', lobby, bob, 'elsewhere')
  announce('user_joined', lobby, ann, 'elsewhere')
  announce('user_left', lobby, ann, 'everyone')
  announce('user_joined', lobby, ann, 'elsewhere')
  await eventually(() => lines.length > 3)
  t.same(lines, [
    'elsewhere: user_joined bob', 'elsewhere: user_joined ann', 'everyone: user_left ann', 'elsewhere: user_joined ann'
  ])
})

t.test('[P59] many departures at once are published in order, in pieces of whole frames with at most 16 KiB', async t => {
  const pieces: Buffer[] = []
  const broker: Broker = {
    ...createMemoryBroker(),
    publish (_topic: Topic, event: BusEvent) { if (event.kind === 'notice') pieces.push(event.frame) }
  }
  const announce = createAnnounce(broker)
  const names = Array.from({ length: 880 }, (_, i) => `person ${i} ${'漢'.repeat(20)}`)
  for (const name of names) announce('user_left', lobby, person(name), 'everyone')
  const told = () => pieces.flatMap(piece => piece.toString().match(/"username":"person \d+/g) ?? [])
  await eventually(() => told().length >= names.length)
  t.same(told(), names.map((_, i) => `"username":"person ${i}`))
  t.ok(pieces.every(piece => piece.length <= 16_384))
  t.equal(pieces.reduce((sum, piece) => sum + countFrames(piece), 0), names.length)
})
